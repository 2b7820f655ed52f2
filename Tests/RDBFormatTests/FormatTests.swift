import Testing

@testable import RDBFormat

struct FormatTests {
  /// A value of every type that no fixture has, and how many elements it holds.
  static let values: [Value] = [
    Value("list of strings", "REDIS0001", 1, length(2) + string("a") + [0xc0, 7], .list, 2),
    Value("set", "REDIS0004", 2, length(1) + string("a"), .set, 1),
    Value(
      "sorted set with scores in text", "REDIS0006", 3,
      length(4) + string("a") + [3] + Array("1.5".utf8) + string("b") + [254] + string("c")
        + [255] + string("d") + [20] + Array("1.23456789012345e-10".utf8), .zset, 4),
    Value("hash", "REDIS0002", 4, length(1) + string("f") + string("v"), .hash, 1),
    Value(
      "sorted set", "REDIS0009", 5, length(1) + string("a") + little(0x7ff0 << 48, 8), .zset, 1),
    Value(
      "zipmap", "REDIS0002", 9,
      string(
        [2, 1] + [0x61, 2, 3, 0x62, 0x63, 0, 0, 0, 0xfe] + little(3, 4) + [1, 2, 3, 0, 0, 0xff]),
      .hash, 2),
    Value(
      "zipmap that does not count", "REDIS0002", 9, string([254, 1, 0x61, 0, 0, 0xff]), .hash, 1),
    Value(
      "list in a ziplist", "REDIS0003", 10,
      string(
        ziplist([
          "a", 0, 12, 13, -1, 300, -70_000, 8_388_607, .integer(1 << 40),
          .text([UInt8](repeating: 1, count: 300)),
          .text([UInt8](repeating: 2, count: 20_000)), "",
        ])), .list, 12),
    Value("intset", "REDIS0006", 11, string(intset([-5, 0, 70_000], width: 4)), .set, 3),
    Value(
      "sorted set in a ziplist", "REDIS0008", 12,
      string(ziplist(["a", "-inf", "b", -7, "c", "0.10000000000000001", "d", 5, "e", "inf"])),
      .zset, 5),
    Value("hash in a ziplist", "REDIS0006", 13, string(ziplist(["a", 1, 2, "b"])), .hash, 2),
    Value(
      "list of ziplists", "REDIS0007", 14,
      length(2) + string(ziplist(["a", "b"])) + string(ziplist([1])), .list, 3),
    Value(
      "hash in a listpack", "REDIS0010", 16,
      string(
        listpack([
          "a", 127, "b", 128, "c", -4_096, "d", 32_767, "e", -8_388_608, "f", .integer(1 << 31),
          "g",
          .text([UInt8](repeating: 3, count: 126)), "h",
          .text([UInt8](repeating: 3, count: 17_000)),
        ])), .hash, 8),
    Value(
      "list of nodes and plain strings", "REDIS0010", 18,
      length(2) + length(1) + string("plain") + length(2) + string(listpack(["a", "b"])), .list, 3
    ),
    Value("set in a listpack", "REDIS0011", 20, string(listpack(["a", 3])), .set, 2),
    Value(
      "hash with expiries before general availability", "REDIS0012", 22,
      length(2) + length(0) + string("f") + string("v") + length(1 << 40) + string("g")
        + string("w"), .hash, 2),
    Value(
      "hash in a listpack with expiries before general availability", "REDIS0012", 23,
      string(listpack(["g", "w", .integer(1 << 40), "f", "v", 0])), .hash, 2),
    Value(
      "hash with expiries", "REDIS0012", 24,
      little(1 << 40, 8) + length(1) + length(1) + string("f") + string("v"), .hash, 1),
    Value(
      "hash in a listpack with expiries", "REDIS0012", 25,
      little(1 << 40, 8) + string(listpack(["g", "w", .integer(1 << 40), "f", "v", 0])), .hash, 2),
    Value(
      "hash of Valkey with expiries", "VALKEY080", 22,
      length(2) + string("f") + string("v") + little(.max, 8) + string("g") + string("w")
        + little(1 << 40, 8), .hash, 2),
    Value(
      "array", "REDIS0014", 28,
      length(4) + length(1) + length(.max - 1) + length(0) + length(0) + string("text") + length(7)
        + length(1) + little(42, 8) + length(8) + length(2) + little(0x3ff8 << 48, 8)
        + length(1 << 40) + length(3) + string("s"), .array, 4),
    Value(
      "array that does not go on", "REDIS0014", 28,
      length(1) + length(0) + length(3) + length(1) + little(1, 8), .array, 1),
    Value(
      "module value", "REDIS0009", 7,
      length(0xbde7_2da2_bb1e_b400) + [1] + length(5) + [2] + length(.max) + [3, 0, 0, 0, 0]
        + [4, 0, 0, 0, 0, 0, 0, 0, 0] + [5] + string("s") + [0], .module, 1),
  ]

  @Test(arguments: values)
  func `a value of every type is read`(value: Value) throws {
    let file = FileBuilder(value.magic).key(value.code, value.bytes)
    let bytes = value.hasFooter ? file.ended() : file.bytes + [0xff]
    let summary = try inspect([bytes])
    #expect(summary.content.types[value.type] == 1)
    #expect(summary.content.keys == 1)
    #expect(summary.largestKeys.map(\.elements) == [value.elements])
    #expect(summary.largestKeys.map(\.bytes) == [UInt64(3 + value.bytes.count)])
    #expect(summary.checksum == (value.hasFooter ? .valid : .disabled))
    #expect(try inspect(bytes.map { [$0] }) == summary)
  }

  @Test(arguments: values)
  func `a value that is cut is not taken for whole`(value: Value) {
    let bytes = FileBuilder(value.magic).key(value.code, value.bytes).bytes
    for count in bytes.indices {
      let error = RDBError.Kind.truncated
      switch outcome([Array(bytes[..<count])]) {
      case .success: Issue.record("cut at \(count)")
      case .failure(let found):
        #expect(found.kind == error && found.byteOffset == UInt64(count))
      }
    }
  }

  @Test
  func `all opcodes beside keys are read`() throws {
    let file = FileBuilder("REDIS0013")
      .adding([250] + string("ctime") + [0xc2] + little(1_700_000_000, 4))
      .adding([250] + string("ctime") + string("second"))
      .adding([250] + string("lua") + string(String(repeating: "x", count: 2_000)))
      .adding([247] + length(0xbde7_2da2_bb1e_b400) + [2, 2] + [5] + string("aux") + [0])
      .adding([245] + string("#!lua name=a"))
      .adding([246] + string("b") + string("LUA") + length(0) + string("code"))
      .adding([246] + string("c") + string("LUA") + length(1) + string("text") + string("code"))
      .adding([254, 5, 251] + length(1 << 62) + length(0) + [244, 1, 2, 3])
      .adding([253] + little(10, 4) + [248] + length(1_000)).key(0, string("v"), name: "a")
      .adding([252] + little(10_001, 8) + [249, 7]).key(0, string("v"), name: "b")
      .adding([243, 1, 1, 2, 3, 4, 2, 9, 0]).key(0, string("v"), name: "c")
    let summary = try inspect([file.ended()], referenceTime: 10_000)
    #expect(summary.aux["ctime"] == "1700000000")
    #expect(summary.aux["lua"]?.utf8.count == 1_024)
    #expect(summary.moduleNames == ["vectorset"])
    #expect(summary.content.functions == 3)
    #expect(
      summary.content.databases == [
        DatabaseSummary(index: 5, keys: 3, expires: 2, expiredKeys: 1)
      ])
    #expect(summary.verdict == .valid)
  }

  @Test
  func `Valkey's slot import is read`() throws {
    let file = FileBuilder("VALKEY080").adding([243] + string("job") + [2, 1, 2, 5, 9])
    #expect(try inspect([file.ended()]).format == .valkey)
  }

  @Test(arguments: ["REDIS0001", "REDIS0004"])
  func `an old version has no footer`(magic: String) throws {
    let bytes = FileBuilder(magic).adding([254, 0]).key(0, string("v")).bytes + [0xff]
    let summary = try inspect([bytes])
    #expect(summary.verdict == .noChecksum)
    #expect(summary.crc64 == checksum(of: bytes))
    #expect(throws: RDBError.self) { try inspect([bytes + [0]]) }
  }

  @Test(arguments: [("", true), ("RED", true), ("VALK", true), ("REX", false), ("\u{1f}", false)])
  func `a beginning is told from another file`(text: String, isBeginning: Bool) {
    let offset = isBeginning ? text.utf8.count : 0
    let expected = RDBError(
      kind: isBeginning ? .truncated : .badMagic, byteOffset: UInt64(offset), database: nil,
      key: nil)
    #expect(outcome([Array(text.utf8)]) == .failure(expected))
  }

  @Test(arguments: [
    ("REDIS000a", RDBError.Kind.badMagic), ("redis0009", .badMagic), ("VALKEY08.", .badMagic),
    ("REDIS0000", .unsupportedVersion(0)), ("VALKEY079", .unsupportedVersion(79)),
  ])
  func `a wrong magic is refused`(magic: String, kind: RDBError.Kind) {
    let expected = RDBError(kind: kind, byteOffset: 0, database: nil, key: nil)
    #expect(outcome([FileBuilder(magic).ended()]) == .failure(expected))
  }
}

struct Value: Sendable, CustomTestStringConvertible {
  let name: String
  let magic: String
  let code: UInt8
  let bytes: [UInt8]
  let type: ValueType
  let elements: UInt64

  init(
    _ name: String, _ magic: String, _ code: UInt8, _ bytes: [UInt8], _ type: ValueType,
    _ elements: UInt64
  ) {
    self.name = name
    self.magic = magic
    self.code = code
    self.bytes = bytes
    self.type = type
    self.elements = elements
  }

  var testDescription: String { name }
  var hasFooter: Bool { !magic.hasPrefix("REDIS000") || magic >= "REDIS0005" }
}
