import Testing

@testable import GzipMembers

@Suite struct StretchTests {
  @Test(arguments: Seed.fresh(20))
  func `stretches cover a block, and two neighbours differ`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let block = [UInt8].mixed(Int.random(in: 0...300_000, using: &random), using: &random)
    let stretches = Stretch.stretches(of: block)
    var end = 0
    var wasFlat: Bool?
    for stretch in stretches {
      #expect(stretch.range.lowerBound == end)
      #expect(!stretch.range.isEmpty)
      #expect(stretch.isFlat != wasFlat)
      end = stretch.range.upperBound
      wasFlat = stretch.isFlat
    }
    #expect(end == block.count)
  }

  /// Always the same seeds: by chance a few bytes of noise look like text now and then, and where they
  /// stand at its edge, up to a chunk counts as text.
  @Test(arguments: 1...10)
  func `noise among text is found`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let text = [UInt8]("a key and a small value, ".utf8)
    let block = Array(repeating: text, count: 400).together + [UInt8].noise(10_000, using: &random)
    let stretches = Stretch.stretches(of: block + Array(repeating: text, count: 400).together)
    #expect(stretches.map(\.isFlat) == [false, true, false])
    #expect(stretches[1].range.count > 9_800)
  }

  @Test(arguments: [0, 1, 511, 4095])
  func `a short block is never flat`(byteCount: Int) {
    var random = SplitMix(seed: 4)
    let stretches = Stretch.stretches(of: .noise(byteCount, using: &random))
    #expect(stretches.allSatisfy { !$0.isFlat })
    #expect(stretches.count == min(byteCount, 1))
  }

  @Test func `noise that repeats is deflated all the same`() async throws {
    var random = SplitMix(seed: 5)
    let value = [UInt8].noise(10_000, using: &random)
    let input = (0..<200).map { Array("key \($0)".utf8) + value }.together
    let archive = try await compress([input]).together
    #expect(archive.count < input.count / 20)
    #expect(try Gzip.gunzip(archive) == input)
  }
}
