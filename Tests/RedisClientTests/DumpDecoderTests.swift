import RedisClient
import TestSupport
import Testing

@Suite struct DumpDecoderTests {
  private static let mark = String(repeating: "0123456789abcdef", count: 3).prefix(40)

  @Test func `a counted dump ends with its last byte, whatever follows`() throws {
    let events = try decode("\n\n$6\r\nREDIS!*1\r\n$4\r\nPING\r\n")
    #expect(
      events == [
        .waiting, .began(byteCount: 6), .bytes(Array("REDIS!".utf8)), .ended,
      ])
  }

  @Test func `a marked dump ends before its mark, whatever follows`() throws {
    let events = try decode("$EOF:\(Self.mark)\r\nREDIS!\(Self.mark)*1\r\n$4\r\nPING\r\n")
    #expect(events == [.began(byteCount: nil), .bytes(Array("REDIS!".utf8)), .ended])
  }

  @Test(arguments: ["$0\r\n", "$EOF:\(mark)\r\n\(mark)"])
  func `a dump without bytes is one`(text: String) throws {
    #expect(try decode(text).last == .ended)
  }

  @Test func `a refusal ends it`() throws {
    let reply = "NOMASTERLINK Can't SYNC while not connected with my master"
    #expect(
      try decode("\n-\(reply)\r\n$1\r\nx") == [.waiting, .refused(RedisServerError(reply))])
  }

  @Test(arguments: Seed.fresh(100))
  func `any split gives the same dump`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let dump = random.dump()
    let bytes = random.framed(dump)
    for parts in [[bytes], bytes.map { [$0] }, bytes.split(using: &random, maximumByteCount: 300)] {
      #expect(try whole(decode(parts)) == dump)
    }
  }

  @Test(arguments: Seed.fresh(100))
  func `a stream that is cut anywhere has no end, and gives what had come`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let dump = random.dump()
    let bytes = random.framed(dump, rest: [])
    let cut = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
    for parts in [[cut], cut.map { [$0] }] {
      let events = try decode(parts)
      #expect(!events.contains(.ended))
      #expect(dump.starts(with: received(events)))
    }
  }

  @Test(arguments: [
    ("+FULLRESYNC", RESPError(.unknownType(UInt8(ascii: "+")), byteOffset: 0)),
    ("\n\n*1\r\n", RESPError(.unknownType(UInt8(ascii: "*")), byteOffset: 2)),
    ("$\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    ("$12a\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    ("\n$9223372036854775808\r\n", RESPError(.invalidNumber, byteOffset: 1)),
    ("$000000000000000000001\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    ("$-1\r\n", RESPError(.negativeLength, byteOffset: 0)),
    ("$-9223372036854775808\r\n", RESPError(.negativeLength, byteOffset: 0)),
    ("$EOF:\r\n", RESPError(.invalidMark, byteOffset: 0)),
    ("$EOF:\(mark)0\r\n", RESPError(.invalidMark, byteOffset: 0)),
    ("$EOF:\(mark.dropLast())\r\n", RESPError(.invalidMark, byteOffset: 0)),
    ("$1\rx", RESPError(.missingLineEnd, byteOffset: 0)),
    ("$" + String(repeating: "1", count: 5000), RESPError(.lineTooLong, byteOffset: 0)),
    ("-" + String(repeating: "E", count: 4096) + "\r\n", RESPError(.lineTooLong, byteOffset: 0)),
  ])
  func `bytes that no dump can begin with are an error with its place`(
    text: String, expected: RESPError
  ) {
    #expect(throws: expected) { try decode(text) }
    #expect(throws: expected) { try decode(Array(text.utf8).map { [$0] }) }
  }

  @Test func `an announced length reserves nothing, and an error is final`() throws {
    var decoder = DumpDecoder()
    decoder.push(Array("$9223372036854775807\r\nabc".utf8))
    #expect(try decoder.next() == .began(byteCount: 9_223_372_036_854_775_807))
    #expect(try decoder.next() == .bytes(Array("abc".utf8)))
    #expect(try decoder.next() == nil)

    var broken = DumpDecoder()
    broken.push(Array("?".utf8))
    for _ in 0..<2 {
      #expect(throws: RESPError(.unknownType(UInt8(ascii: "?")), byteOffset: 0)) {
        try broken.next()
      }
      broken.push(Array("$1\r\nx".utf8))
    }
  }

  @Test(arguments: Seed.fresh(500))
  func `any damage gives the same in any split, or the same error`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var bytes = random.framed(random.dump())
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      let index = Int.random(in: 0..<min(bytes.count, 64), using: &random)
      bytes[index] = Array("0123456789-+$EOF:\r\n".utf8).randomElement(using: &random) ?? 0
    }
    let outcomes = [[bytes], bytes.map { [$0] }].map { parts in
      Result { received(try decode(parts)) }.mapError { $0 as? RESPError }
    }
    switch (outcomes[0], outcomes[1]) {
    case (.success(let whole), .success(let parts)): #expect(whole == parts)
    case (.failure(let whole), .failure(let parts)): #expect(whole == parts)
    default: Issue.record("whole \(outcomes[0]), byte by byte \(outcomes[1])")
    }
  }
}

private func decode(_ text: String) throws -> [DumpDecoder.Event] {
  try decode([Array(text.utf8)])
}

private func decode(_ parts: [[UInt8]]) throws -> [DumpDecoder.Event] {
  var decoder = DumpDecoder()
  var events: [DumpDecoder.Event] = []
  for part in parts {
    decoder.push(part)
    while let event = try decoder.next() { events.append(event) }
  }
  return events
}

private func received(_ events: [DumpDecoder.Event]) -> [UInt8] {
  events.flatMap { event -> [UInt8] in
    if case .bytes(let bytes) = event { bytes } else { [] }
  }
}

/// The bytes of a stream that has its end.
private func whole(_ events: [DumpDecoder.Event]) -> [UInt8]? {
  events.last == .ended ? received(events) : nil
}

extension SplitMix {
  /// Bytes with much in them that looks like a mark.
  fileprivate mutating func dump() -> [UInt8] {
    let alphabet = Array("0f\r\n$".utf8)
    return (0..<Int.random(in: 0...600, using: &self)).map { _ in
      alphabet.randomElement(using: &self) ?? 0
    }
  }

  /// The stream of a dump, with what a server may send before and behind it.
  fileprivate mutating func framed(
    _ dump: [UInt8], rest: [UInt8] = Array("*1\r\n$4\r\nPING\r\n".utf8)
  ) -> [UInt8] {
    let wait = [UInt8](repeating: 10, count: Int.random(in: 0...5, using: &self))
    if Bool.random(using: &self) {
      return wait + Array("$\(dump.count)\r\n".utf8) + dump + rest
    }
    // Of few letters, so that its beginning occurs in the dump, but not all of it.
    let mark = (0..<39).map { _ in Array("0f".utf8).randomElement(using: &self) ?? 0 } + [0x61]
    return wait + Array("$EOF:".utf8) + mark + Array("\r\n".utf8) + dump + mark + rest
  }
}

extension Result {
  fileprivate func mapError(_ map: (Failure) -> RESPError?) -> Result<Success, RESPError>
  where Failure == any Error {
    mapError { map($0) ?? RESPError(.invalidNumber, byteOffset: .max) }
  }
}
