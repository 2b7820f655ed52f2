import Testing

@testable import RDBFormat

struct DripTests {
  @Test(arguments: Fixture.all)
  func `a file fed byte by byte gives the same summary`(fixture: Fixture) throws {
    let bytes = fixture.bytes
    let drops = bytes.map { [$0] }
    #expect(try inspect(drops) == inspect([bytes]))
    #expect(outcomeApart(drops) == outcome([bytes]))
  }

  @Test(arguments: Fixture.all, 0..<4 as Range<UInt64>)
  func `any split of a file gives the same summary`(fixture: Fixture, seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let bytes = fixture.bytes
    let pieces = bytes.split(using: &random)
    #expect(try inspect(pieces) == inspect([bytes]))
    #expect(outcomeApart(pieces) == outcome([bytes]))
  }

  @Test(arguments: Fixture.all, 0..<30 as Range<UInt64>)
  func `any split of a damaged file gives the same error`(fixture: Fixture, seed: UInt64) {
    var random = SplitMix(seed: seed)
    var bytes = fixture.bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(
        in: 0...255, using: &random)
    }
    let pieces = bytes.split(using: &random)
    #expect(outcome(pieces) == outcome([bytes]))
    #expect(outcomeApart(pieces) == outcome([bytes]))
  }
}
