import Testing

@testable import RDBFormat

struct StructureTests {
  static let faults: [Fault] =
    listpackFaults + ziplistFaults + otherFaults + stringFaults + frameFaults

  private static let listpackFaults = [
    Fault(
      "wrong total", 16, string(patched(listpack(["a", 1]), 0, 99)),
      "a listpack of 12 bytes says 99"),
    Fault(
      "wrong count", 16, string(listpack(["a", 1], count: 3)), "a listpack of 2 entries says 3"),
    Fault(
      "wrong back length", 16, string(patched(listpack(["a", 1]), 8, 9)),
      "an entry of a listpack has a wrong back length"),
    Fault(
      "no terminator", 16, string(patched(listpack(["a", 1]), 11, 1)), "a listpack has no end"),
    Fault(
      "early terminator", 16, string(patched(listpack(["a", 1]), 6, 0xff)),
      "bytes after the end of a listpack"),
    Fault(
      "unknown encoding", 16, string(patched(listpack(["a", 1]), 6, 0xf9)),
      "a listpack has an entry of unknown encoding 249"),
    Fault(
      "text beyond the end", 16, string(patched(listpack(["a", 1]), 6, 0xbf)),
      "a listpack has no end"),
    Fault("odd hash", 16, string(listpack(["a"])), "a hash has a field without a value"),
    Fault("odd zset", 17, string(listpack(["a"])), "a sorted set has a member without a score"),
    Fault("nan", 17, string(listpack(["a", "nan"])), "a score is not a number"),
    Fault("no score", 17, string(listpack(["a", "1x"])), "the score of a sorted set is no number"),
    Fault(
      "long score", 17, string(listpack(["a", .text([UInt8](repeating: 0x30, count: 65))])),
      "the score of a sorted set is no number"),
    Fault(
      "falling scores", 17, string(listpack(["a", 2, "b", "1.5"])),
      "the scores of a sorted set descend"),
    Fault(
      "falling expiries", 25, little(1, 8) + string(listpack(["a", 1, 9, "b", 1, 8])),
      "the fields of a hash are not ordered by expiry"),
    Fault(
      "expiry after none", 25, little(1, 8) + string(listpack(["a", 1, 0, "b", 1, 8])),
      "the fields of a hash are not ordered by expiry"),
    Fault(
      "expiry in text", 25, little(1, 8) + string(listpack(["a", 1, "9"])),
      "the expiry of a field is no integer"),
  ]

  private static let ziplistFaults = [
    Fault(
      "wrong total", 10, string(patched(ziplist(["a", 1]), 0, 99)), "a ziplist of 16 bytes says 99"),
    Fault("wrong count", 10, string(ziplist(["a", 1], count: 3)), "a ziplist of 2 entries says 3"),
    Fault(
      "wrong tail", 10, string(ziplist(["a", 1], tail: 10)),
      "the last entry of a ziplist is at 13, not at 10"),
    Fault(
      "wrong previous length", 10, string(patched(ziplist(["a", 1]), 13, 9)),
      "an entry of a ziplist has a wrong previous length"),
    Fault(
      "unknown encoding", 10, string(patched(ziplist(["a", 1]), 11, 0xc1)),
      "a ziplist has an entry of unknown encoding 193"),
    Fault("no terminator", 10, string(patched(ziplist(["a", 1]), 15, 2)), "a ziplist has no end"),
    Fault(
      "falling scores", 12, string(ziplist(["a", 2, "b", "1"])),
      "the scores of a sorted set descend"),
  ]

  private static let otherFaults = [
    Fault("width", 11, string(intset([1], width: 3)), "an intset with integers of 3 bytes"),
    Fault(
      "count", 11, string(patched(intset([1, 2], width: 2), 4, 9)),
      "an intset of 9 integers in 12 bytes"),
    Fault("none", 11, string(intset([], width: 2)), "an intset of 0 integers in 8 bytes"),
    Fault(
      "order", 11, string(intset([2, 1], width: 2)), "the integers of an intset do not ascend"),
    Fault(
      "repeated", 11, string(intset([2, 2], width: 8)), "the integers of an intset do not ascend"),
    Fault("no end", 9, string([1, 1, 0x61, 0, 0]), "a zipmap has no end"),
    Fault("count", 9, string([2, 1, 0x61, 0, 0, 0xff]), "a zipmap of 1 fields says 2"),
    Fault("no value", 9, string([1, 1, 0x61, 0xff]), "a zipmap has a field without a value"),
    Fault("after the end", 9, string([0, 0xff, 0]), "bytes after the end of a zipmap"),
    Fault("container", 18, length(1) + length(3) + string("a"), "a list node of unknown kind 3"),
    Fault("nan", 5, length(1) + string("a") + little(0x7ff8 << 48, 8), "a score is not a number"),
    Fault("nan", 3, length(1) + string("a") + [253], "a score is not a number"),
    Fault(
      "score", 3, length(1) + string("a") + [1, 0x78], "the score of a sorted set is no number"),
    Fault("long score", 3, length(1) + string("a") + [41], "a score of 41 characters"),
    Fault("module opcode", 7, length(1) + [9], "a module value has the unknown opcode 9"),
    Fault("number", 16, [0xc0, 1], "a number where a packed value must be"),
  ]

  private static let stringFaults = [
    Fault("encoding", 0, [0xc4], "a string of unknown encoding 4"),
    Fault("length", 0, [0x82], "a length of unknown encoding 130"),
    Fault("huge", 0, length(1 << 63), "a length of 9223372036854775808"),
    Fault(
      "claims", 0, [0xc3, 2] + length(4 << 30) + [0, 1],
      "a compressed string of 2 bytes claims to have 4294967296"),
    Fault("short", 0, [0xc3, 2, 2, 0, 0x61], "a compressed string is shorter than it claims"),
    Fault("long", 0, [0xc3, 3, 1, 1, 0x61, 0x61], "a compressed string is longer than it claims"),
    Fault(
      "before", 0, [0xc3, 4, 4, 0, 0x61, 0x20, 1],
      "a compressed string refers to bytes before its beginning"),
    Fault(
      "cut match", 0, [0xc3, 3, 4, 0, 0x61, 0x20], "a compressed string is shorter than it claims"),
    Fault("cut run", 0, [0xc3, 2, 2, 1, 0x61], "a compressed string is shorter than it claims"),
  ]

  private static let frameFaults = [
    Fault(
      "two expiries", nil, [252] + little(1, 8) + [253] + little(1, 4), "a key has two expiries"),
    Fault(
      "no key", nil, [252] + little(1, 8) + [254, 0], "an expiry or another attribute has no key"),
    Fault("no key", nil, [249, 0, 255], "an expiry or another attribute has no key"),
    Fault("database", nil, [254] + length(1 << 31), "a database of number 2147483648"),
    Fault("metadata", nil, [243, 8], "a key has 8 kinds of metadata"),
    Fault("module aux", nil, [247, 1, 1, 1], "data of a module does not say when it loads"),
  ]

  @Test(arguments: faults)
  func `a value that breaks a rule is damaged, whatever the split`(fault: Fault) throws {
    let file = FileBuilder("REDIS0013")
    let bytes = (fault.code.map { file.key($0, fault.bytes) } ?? file.adding(fault.bytes)).ended()
    let error = try #require(faultOf([bytes]))
    #expect(error.kind == .malformed(fault.message))
    #expect(error.key == (fault.code == nil ? nil : Array("k".utf8)))
    #expect(faultOf(bytes.map { [$0] }) == error)
  }

  @Test(arguments: faults.filter { [16, 17, 20, 10, 12].contains($0.code) })
  func `the same is found in a compressed value`(fault: Fault) {
    guard fault.bytes[0] < 64 else { return }
    let content = Array(fault.bytes.dropFirst())
    let runs = stride(from: 0, to: content.count, by: 32).flatMap { start in
      let run = content[start..<min(start + 32, content.count)]
      return [UInt8(run.count - 1)] + run
    }
    let value = [0xc3] + length(UInt64(runs.count)) + length(UInt64(content.count)) + runs
    let bytes = FileBuilder("REDIS0013").key(fault.code ?? 0, value).ended()
    let expected = RDBError(
      kind: .malformed(fault.message), byteOffset: 15, database: 0, key: Array("k".utf8))
    #expect(outcome([bytes]) == .failure(expected))
    #expect(outcome(bytes.map { [$0] }) == .failure(expected))
  }

  @Test(arguments: [6, 8, 15 + 20, 63, 64, 200, 242] as [UInt8])
  func `an opcode that the version lacks is damaged`(code: UInt8) {
    let bytes = FileBuilder("REDIS0013").adding([code]).ended()
    let expected = RDBError(kind: .unknownOpcode(code), byteOffset: 9, database: nil, key: nil)
    #expect(outcome([bytes]) == .failure(expected))
  }

  @Test
  func `a fault is found at its byte`() throws {
    let bytes = FileBuilder("REDIS0011").key(16, string(patched(listpack(["a", 1]), 11, 1))).ended()
    // Magic 9, type 1, key 2, length 1, then 11 good bytes of the listpack.
    let error = try #require(faultOf([bytes]))
    #expect(error.byteOffset == 9 + 1 + 2 + 1 + 11)
    #expect(error.database == 0)
    #expect(
      error.description == #"a listpack has no end at byte 24, database 0, key "k""#)
  }

  @Test
  func `a key in an error is cut and escaped`() throws {
    let name = "\"\\\n\u{7f}é" + String(repeating: "n", count: 300)
    let bytes = FileBuilder("REDIS0011").key(0, [0xc4], name: name).ended()
    let error = try #require(faultOf([bytes]))
    #expect(error.key?.count == 256)
    #expect(error.description.contains(#"key "\"\\\x0a\x7f\xc3\xa9nnn"#))
  }
}

struct Fault: Sendable, CustomTestStringConvertible {
  let name: String
  /// The type of the value; nil when the bytes are opcodes.
  let code: UInt8?
  let bytes: [UInt8]
  let message: String

  init(_ name: String, _ code: UInt8?, _ bytes: [UInt8], _ message: String) {
    self.name = name
    self.code = code
    self.bytes = bytes
    self.message = message
  }

  var testDescription: String { "\(name) \(code.map(String.init) ?? "")" }
}

private func patched(_ bytes: [UInt8], _ index: Int, _ byte: UInt8) -> [UInt8] {
  var bytes = bytes
  bytes[index] = byte
  return bytes
}
