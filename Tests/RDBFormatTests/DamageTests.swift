import Testing

@testable import RDBFormat

struct DamageTests {
  @Test(arguments: Fixture.small)
  func `a cut at any byte is found`(fixture: Fixture) throws {
    var inspector = RDBInspector(referenceTime: 0)
    for byte in fixture.bytes {
      var cut = inspector
      #expect(throws: RDBError.self) { try cut.finish() }
      try inspector.consume([byte].span)
    }
    _ = try inspector.finish()
  }

  @Test(arguments: Fixture.withChecksum)
  func `a flipped bit anywhere is found`(fixture: Fixture) {
    let whole = fixture.bytes
    for seed in 0..<DamageTests.flipsPerFile {
      var random = SplitMix(seed: seed)
      var bytes = whole
      let index = Int.random(in: bytes.indices, using: &random)
      bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      #expect(faultOf([bytes]) != nil, "flip in byte \(index), seed \(seed)")
    }
  }

  #if DEBUG
    private static let flipsPerFile: UInt64 = 60
  #else
    private static let flipsPerFile: UInt64 = 1_000
  #endif

  @Test(arguments: Fixture.all)
  func `bytes after the end are found`(fixture: Fixture) throws {
    let bytes = fixture.bytes
    let expected = RDBError(
      kind: .trailingBytes, byteOffset: UInt64(bytes.count), database: nil, key: nil)
    #expect(throws: expected) { try inspect([bytes + [0]]) }
    #expect(throws: expected) { try inspect([bytes, [0, 0, 0, 0, 0, 0, 0, 0]]) }
    #expect(throws: expected) { try inspect([bytes, bytes]) }
  }
}
