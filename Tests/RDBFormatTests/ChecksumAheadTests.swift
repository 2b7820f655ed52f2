import Testing

@testable import RDBFormat

/// The checksum worked out ahead of the parser never changes what is found.
struct ChecksumAheadTests {
  @Test(arguments: Fixture.all, 0..<3 as Range<UInt64>)
  func `a checksum worked out ahead gives the same summary`(fixture: Fixture, seed: UInt64) {
    var random = SplitMix(seed: seed)
    let bytes = fixture.bytes
    #expect(outcomeAhead(bytes.split(using: &random)) == outcome([bytes]))
  }

  @Test(arguments: Fixture.all, 0..<30 as Range<UInt64>)
  func `a checksum worked out ahead gives the same first fault`(fixture: Fixture, seed: UInt64) {
    var random = SplitMix(seed: seed)
    var bytes = fixture.bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
        in: 0...255, using: &random)
    }
    if Bool.random(using: &random) { bytes += [0, 1, 2] }
    if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...9, using: &random)) }
    #expect(outcomeAhead(bytes.split(using: &random)) == outcome([bytes]))
  }

  @Test(arguments: ["REDIS0011", "REDIS0014"])
  func `a fault of the structure comes before a wrong checksum`(magic: String) {
    var random = SplitMix(seed: 5)
    var bytes = FileBuilder(magic).key(0, string("v")).adding([200, 1, 2, 3]).ended()
    bytes[bytes.count - 1] ^= 1
    #expect(outcomeAhead(bytes.split(using: &random)) == outcome([bytes]))
    #expect((try? outcomeAhead([bytes]).get()) == nil)
  }

  @Test func `a checksum that was begun with other bytes is computed again`() throws {
    let bytes = FileBuilder().key(0, string("value")).ended()
    var strange = RDBPieces()
    _ = strange.next([1, 2, 3])
    var inspector = RDBInspector(referenceTime: 0)
    for byte in bytes { try inspector.consume(strange.next([byte])) }
    #expect(try inspector.finish() == inspect([bytes]))
  }
}
