import Testing

@testable import RDBFormat

struct NewerVersionTests {
  @Test(arguments: ["REDIS0015", "REDIS9999", "VALKEY081"])
  func `a newer version that is understood is vouched for by its checksum only`(
    magic: String
  ) throws {
    let bytes = FileBuilder(magic).key(0, string("v")).ended()
    let summary = try inspect([bytes])
    #expect(summary.verdict == .integrityOnly)
    #expect(summary.checksum == .valid)
    #expect(summary.content.keys == 1)
    #expect(summary.crc64 == checksum(of: bytes.dropLast(8)))
    #expect(summary.findings.map(\.kind) == [.newerVersion])
    #expect(try inspect(bytes.map { [$0] }) == summary)
  }

  @Test(arguments: [[200, 1, 2, 3], [16, 1, 0x62, 1, 0], [0, 1, 0x62, 0xc9]] as [[UInt8]])
  func `unknown contents end the understanding, not the checksum`(strange: [UInt8]) throws {
    let bytes = FileBuilder("REDIS0015").key(0, string("v")).adding(strange).ended()
    let summary = try inspect([bytes])
    #expect(summary.verdict == .integrityOnly)
    #expect(summary.checksum == .valid)
    #expect(summary.content.keys == 1)
    #expect(summary.findings.map(\.kind) == [.notUnderstood, .newerVersion])
    #expect(try inspect(bytes.map { [$0] }) == summary)
  }

  @Test
  func `a missing checksum is a finding where all is understood`() throws {
    let bytes = FileBuilder("REDIS0015").key(0, string("v")).endedWithoutChecksum()
    let summary = try inspect([bytes])
    #expect(summary.verdict == .noChecksum)
    #expect(summary.checksum == .disabled)
    #expect(summary.findings.map(\.kind) == [.checksumDisabled, .newerVersion])
  }

  @Test(arguments: ["REDIS0015", "REDIS0014", "VALKEY080"])
  func `what is not understood and has no checksum is not whole`(magic: String) {
    let whole = FileBuilder(magic).key(0, string("v"))
    let start = UInt64(whole.bytes.count)
    let bytes = whole.adding([200, 1, 2]).endedWithoutChecksum()
    let found = outcome([bytes])
    let expected = RDBError(kind: .unknownOpcode(200), byteOffset: start, database: 0, key: nil)
    #expect(found == .failure(expected))
    #expect(outcome(bytes.map { [$0] }) == found)
    // As a power cut leaves a file whose length was kept and whose bytes were not.
    let cut = Array(FileBuilder("REDIS0015").key(0, string("v")).ended().dropLast(12))
    #expect((try? outcome([cut + [UInt8](repeating: 0, count: 4096)]).get()) == nil)
  }

  @Test(arguments: [[], [200, 1, 2, 3]] as [[UInt8]])
  func `a flipped bit, a cut and trailing bytes are found`(strange: [UInt8]) {
    let bytes = FileBuilder("REDIS0015").key(0, string("value")).adding(strange).ended()
    for bit in 9 * 8..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = outcome([damaged])
      #expect((try? found.get()) == nil)
      #expect(outcome(damaged.map { [$0] }) == found)
    }
    for count in bytes.indices {
      let found = outcome([Array(bytes[..<count])])
      #expect((try? found.get()) == nil)
      #expect(outcome(bytes[..<count].map { [$0] }) == found)
    }
    #expect((try? outcome([bytes + [1]]).get()) == nil)
  }

  @Test
  func `trailing bytes behind an understood end are named so`() {
    let bytes = FileBuilder("REDIS0015").key(0, string("value")).ended()
    for more in [[0], [UInt8](repeating: 0, count: 8), bytes] {
      let expected = RDBError(
        kind: .trailingBytes, byteOffset: UInt64(bytes.count), database: nil, key: nil)
      #expect(outcome([bytes + more]) == .failure(expected))
    }
  }

  @Test(arguments: [("REDIS0014", 33), ("REDIS0014", 242), ("VALKEY080", 23), ("VALKEY080", 242)])
  func `what a server may have added to its newest version is no damage`(
    magic: String, code: UInt8
  ) throws {
    let bytes = FileBuilder(magic).key(0, string("v")).adding([code, 1, 0x62, 1, 2]).ended()
    let summary = try inspect([bytes])
    #expect(summary.verdict == .integrityOnly)
    #expect(summary.checksum == .valid)
    #expect(summary.crc64 == checksum(of: bytes.dropLast(8)))
    #expect(summary.content.keys == 1)
    #expect(summary.findings.map(\.kind) == [.notUnderstood])
    #expect(try inspect(bytes.map { [$0] }) == summary)
    for bit in 9 * 8..<bytes.count * 8 {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = outcome([damaged])
      #expect((try? found.get()) == nil)
      #expect(outcome(damaged.map { [$0] }) == found)
    }
    for count in bytes.indices {
      let found = outcome([Array(bytes[..<count])])
      #expect((try? found.get()) == nil)
      #expect(outcome(bytes[..<count].map { [$0] }) == found)
    }
  }

  @Test
  func `an unknown element of an older version is damage`() {
    let bytes = FileBuilder("REDIS0013").key(0, string("v")).adding([33, 1, 0x62, 1, 2]).ended()
    #expect(outcome([bytes]).mapError(\.kind) == .failure(.unknownOpcode(33)))
  }
}
