import RedisClient
import TestSupport
import Testing

@Suite struct RESPDecoderTests {
  @Test(arguments: [
    ("+OK\r\n", RESPValue.simple("OK")),
    ("+\r\n", .simple("")),
    ("-ERR no such key\r\n", .error(RedisServerError("ERR no such key"))),
    (":0\r\n", .integer(0)),
    (":-9223372036854775808\r\n", .integer(.min)),
    (":+9223372036854775807\r\n", .integer(.max)),
    ("$0\r\n\r\n", .bulk([])),
    ("$4\r\na\r\nb\r\n", .bulk(Array("a\r\nb".utf8))),
    ("$-1\r\n", .null),
    ("*-1\r\n", .null),
    ("*0\r\n", .array([])),
    ("*2\r\n*1\r\n:1\r\n$-1\r\n", .array([.array([.integer(1)]), .null])),
    ("*1\r\n-NOPERM x\r\n", .array([.error(RedisServerError("NOPERM x"))])),
  ])
  func `each type is read`(text: String, value: RESPValue) throws {
    #expect(try decode(text) == [value])
  }

  @Test(arguments: Seed.fresh(50))
  func `any split gives the same replies`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let values = (0..<8).map { _ in RESPValue.random(depth: 4, using: &random) }
    let bytes = values.flatMap(\.encoded)
    #expect(try decode([bytes]) == values)
    #expect(try decode(bytes.map { [$0] }) == values)
    #expect(try decode(bytes.split(using: &random)) == values)
  }

  @Test(arguments: [
    ("!1\r\n", RESPError(.unknownType(UInt8(ascii: "!")), byteOffset: 0)),
    ("+OK\r\n\u{0}", RESPError(.unknownType(0), byteOffset: 5)),
    (":\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    (":12a\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    (":9223372036854775808\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    ("$99999999999999999999999\r\n", RESPError(.invalidNumber, byteOffset: 0)),
    ("$-2\r\n", RESPError(.negativeLength, byteOffset: 0)),
    ("*-9223372036854775808\r\n", RESPError(.negativeLength, byteOffset: 0)),
    ("+OK\r\n*1000001\r\n", RESPError(.tooManyElements, byteOffset: 5)),
    ("*9223372036854775807\r\n", RESPError(.tooManyElements, byteOffset: 0)),
    ("*600000\r\n*600000\r\n", RESPError(.tooManyElements, byteOffset: 9)),
    ("+a\rb\r\n", RESPError(.missingLineEnd, byteOffset: 0)),
    ("$1\r\nabc", RESPError(.missingLineEnd, byteOffset: 5)),
  ])
  func `bytes that no reply can have are an error with its place`(
    text: String, expected: RESPError
  ) {
    #expect(throws: expected) { try decode(text) }
    #expect(throws: expected) { try decode(Array(text.utf8).map { [$0] }) }
  }

  @Test func `arrays may be sixteen deep and no deeper`() throws {
    let sixteen = String(repeating: "*1\r\n", count: 16)
    #expect(try decode(sixteen + ":1\r\n").count == 1)
    #expect(throws: RESPError(.nestedTooDeep, byteOffset: 64)) { try decode(sixteen + "*1\r\n") }
  }

  @Test func `a line may have 64 KiB and no more`() throws {
    let line = "+" + String(repeating: "a", count: 65_535)
    #expect(try decode(line + "\r\n").count == 1)
    #expect(throws: RESPError(.lineTooLong, byteOffset: 0)) { try decode(line + "a\r\n") }
    #expect(throws: RESPError(.lineTooLong, byteOffset: 0)) { try decode(line + "aa") }
  }

  @Test func `status lines of more than 64 MiB in one reply are an error`() {
    let line = Array(("+" + String(repeating: "a", count: 65_000) + "\r\n").utf8)
    var decoder = RESPDecoder()
    decoder.push(Array("*1000000\r\n".utf8))
    let error = #expect(throws: RESPError.self) {
      for _ in 0..<2_000 {
        decoder.push(line)
        _ = try decoder.next()
      }
    }
    #expect(error?.kind == .replyTooLarge)
  }

  @Test func `a bulk string above the limit is read past`() throws {
    var decoder = RESPDecoder(maximumBulkByteCount: 4)
    decoder.push(Array("*3\r\n$4\r\nabcd\r\n$5\r\nabcde\r\n:7\r\n+OK\r\n".utf8))
    #expect(
      try decoder.next() == .array([.bulk(Array("abcd".utf8)), .elided(byteCount: 5), .integer(7)]))
    #expect(try decoder.next() == .simple("OK"))
    #expect(try decoder.next() == nil)
  }

  @Test func `bulk strings of more than 64 MiB in one reply are read past, and not in the next`()
    throws
  {
    let mebibyte = [UInt8](repeating: 0x61, count: 1 << 20)
    var decoder = RESPDecoder()
    for _ in 0..<2 {
      decoder.push(Array("*5\r\n".utf8))
      for _ in 0..<5 {
        decoder.push(Array("$\(16 << 20)\r\n".utf8))
        for _ in 0..<16 {
          #expect(try decoder.next() == nil)
          decoder.push(mebibyte)
        }
        decoder.push(Array("\r\n".utf8))
      }
      let elements = try #require(try decoder.next()?.array)
      #expect(elements.map { $0.bytes?.count } == [16 << 20, 16 << 20, 16 << 20, 16 << 20, nil])
      #expect(elements.last == .elided(byteCount: 16 << 20))
    }
  }

  @Test func `an announced length reserves nothing`() throws {
    var decoder = RESPDecoder()
    decoder.push(Array("*999000\r\n*1000\r\n$9223372036854775807\r\nabc".utf8))
    #expect(try decoder.next() == nil)
  }

  @Test func `an error is final`() {
    var decoder = RESPDecoder()
    decoder.push(Array("?".utf8))
    for _ in 0..<2 {
      #expect(throws: RESPError(.unknownType(UInt8(ascii: "?")), byteOffset: 0)) {
        try decoder.next()
      }
      decoder.push(Array("+OK\r\n".utf8))
    }
  }

  @Test(arguments: Seed.fresh(500))
  func `any damage gives replies or an error`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var bytes = (0..<4).flatMap { _ in RESPValue.random(depth: 4, using: &random).encoded }
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      let digitsAndTypes = Array("0123456789-+:$*\r\n".utf8)
      bytes[index] = digitsAndTypes.randomElement(using: &random) ?? 0
    }
    let whole = Result { try decode([bytes]) }.mapError { $0 as? RESPError }
    let parts = Result { try decode(bytes.map { [$0] }) }.mapError { $0 as? RESPError }
    switch (whole, parts) {
    case (.success(let whole), .success(let parts)): #expect(whole == parts)
    case (.failure(let whole), .failure(let parts)): #expect(whole == parts)
    default: Issue.record("whole \(whole), byte by byte \(parts)")
    }
  }
}

private func decode(_ text: String) throws -> [RESPValue] {
  try decode([Array(text.utf8)])
}

private func decode(_ parts: [[UInt8]]) throws -> [RESPValue] {
  var decoder = RESPDecoder()
  var values: [RESPValue] = []
  for part in parts {
    decoder.push(part)
    while let value = try decoder.next() { values.append(value) }
  }
  return values
}

extension Result {
  fileprivate func mapError(_ map: (Failure) -> RESPError?) -> Result<Success, RESPError>
  where Failure == any Error {
    mapError { map($0) ?? RESPError(.invalidNumber, byteOffset: .max) }
  }
}

extension RESPValue {
  fileprivate static func random(depth: Int, using random: inout SplitMix) -> RESPValue {
    switch Int.random(in: depth > 0 ? 0...6 : 1...6, using: &random) {
    case 0:
      .array(
        (0..<Int.random(in: 0...6, using: &random)).map { _ in
          .random(depth: depth - 1, using: &random)
        })
    case 1: .simple(String(random.next(), radix: 36))
    case 2: .error(RedisServerError("ERR " + String(random.next(), radix: 36)))
    case 3: .integer(Int64(truncatingIfNeeded: random.next()))
    case 4: .null
    default: .bulk(random.bytes(count: Int.random(in: 0...300, using: &random)))
    }
  }

  fileprivate var encoded: [UInt8] {
    switch self {
    case .simple(let line): Array("+\(line)\r\n".utf8)
    case .error(let error): Array("-\(error.message)\r\n".utf8)
    case .integer(let number): Array(":\(number)\r\n".utf8)
    case .bulk(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
    case .array(let elements):
      Array("*\(elements.count)\r\n".utf8) + elements.flatMap(\.encoded)
    case .null, .elided: Array("$-1\r\n".utf8)
    }
  }
}
