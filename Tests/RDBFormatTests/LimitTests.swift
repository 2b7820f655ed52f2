import Testing

@testable import RDBFormat

struct LimitTests {
  @Test(arguments: [
    1 << 20, 1 << 31, 1 << 32, 1 << 40, 1 << 62, 1 << 63, UInt64.max,
  ])
  func `no length in a file is believed`(count: UInt64) {
    let values: [(UInt8, [UInt8])] = [
      (0, length(count) + [1]), (0, [0xc3] + length(count) + length(count) + [0, 1]),
      (1, length(count) + [0]), (2, length(count)), (3, length(count)), (4, length(count)),
      (5, length(count)), (7, length(1) + [5] + length(count)),
      (9, [6, 1, 0xfe] + little(count, 4)),
      (10, string(patched(ziplist(["a"]), 0, little(count, 4)))),
      (10, string(patched(ziplist(["a"]), 10, [0, 0x80] + big(count, 4)))),
      (11, string([4, 0, 0, 0] + little(count, 4))), (14, length(count)),
      (15, length(count)), (15, [0, 0, 7, 8] + length(count)),
      (15, [0, 0, 7, 8, 1] + string("g") + [0, 0] + length(count)),
      (15, [0, 0, 7, 8, 1] + string("g") + [0, 0, 0] + length(count)),
      (
        15,
        [0, 0, 7, 8, 1] + string("g") + [0, 0, 0, 1] + string("c") + little(0, 8) + length(count)
      ),
      (16, length(count)), (16, string(patched(listpack(["a"]), 0, little(count, 4)))),
      (16, string(patched(listpack(["aaaaaaaa"]), 6, [0xf0] + little(count, 4)))),
      (18, length(count)), (18, length(1) + length(1) + length(count)), (22, length(count)),
      (26, [0, 0, 7, 8, 0, 0, 0, 0, 0, 0, 1, 1] + length(count)),
      (26, [0, 0, 7, 8, 0, 0, 0, 0, 0, 0, 1, 1, 1] + string("p") + length(count)),
    ]
    for (code, value) in values {
      let bytes = FileBuilder("REDIS0013").key(code, value).bytes
      let found = outcome([bytes])
      #expect((try? found.get()) == nil)
      #expect(outcome(bytes.map { [$0] }) == found)
    }
  }

  @Test(arguments: [254, 248, 244, 251, 247, 243, 245, 250] as [UInt8])
  func `no length of an opcode is believed`(code: UInt8) {
    for count in [1 << 32, 1 << 63, UInt64.max] {
      let bytes = FileBuilder("REDIS0013").adding([code] + length(count)).bytes
      #expect(faultOf([bytes]) != nil)
    }
  }

  @Test
  func `a claim of keys takes no more than the table's limit`() throws {
    var file = FileBuilder("REDIS0013")
    for _ in 0..<100 {
      file = file.adding([251] + length(.max) + length(.max))
    }
    #expect(try inspect([file.ended()]).content.keys == 0)
  }

  @Test
  func `many empty collections are counted, and hide no other finding`() throws {
    var file = FileBuilder("REDIS0013")
    for index in 0..<1_000 {
      file = file.key(1, [0], name: "k\(index)")
    }
    let findings = try inspect([file.endedWithoutChecksum()]).findings
    #expect(findings.dropLast(2).map(\.kind) == Array(repeating: .emptyValue, count: 100))
    #expect(findings.suffix(2).map(\.kind) == [.listCut, .checksumDisabled])
    let (first, cut) = (findings.first, findings.dropLast().last)
    #expect(first?.description == #"an empty list, which servers drop, database 0, key "k0""#)
    #expect(cut?.message == "of 1000 empty collections the first 100 are listed")
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `random bytes are refused, never trapped`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var bytes = FileBuilder(["REDIS0013", "VALKEY080"][Int(seed % 2)]).bytes
    for _ in 0..<2_000 {
      let isSmall = Bool.random(using: &random)
      bytes.append(UInt8.random(in: 0...(isSmall ? 30 : 255), using: &random))
    }
    #expect(faultOf([bytes]) != nil)
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `damaged values are refused, never trapped`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for value in FormatTests.values {
      var bytes = FileBuilder(value.magic).key(value.code, value.bytes).ended()
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let index = Int.random(in: 9..<bytes.count, using: &random)
        bytes[index] = UInt8.random(in: 0...255, using: &random)
      }
      #expect(outcome(bytes.split(using: &random)) == outcome([bytes]))
    }
  }

  private func patched(_ bytes: [UInt8], _ index: Int, _ patch: [UInt8]) -> [UInt8] {
    var bytes = bytes
    bytes.replaceSubrange(index..<min(index + patch.count, bytes.count), with: patch)
    return bytes
  }
}
