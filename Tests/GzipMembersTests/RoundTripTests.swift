import GzipMembers
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: Seed.fresh(12))
  func `gunzip and we read back what was compressed, in any pieces`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    let input = [UInt8].mixed(Int.random(in: 0...4_000_000, using: &random), using: &random)
    let level = Int.random(in: 0...9, using: &random)
    let pieces = input.split(largest: 200_000, using: &random)
    let archive = try await compress(pieces, level: level).together
    #expect(try Gzip.gunzip(archive) == input)
    #expect(try await decompress(archive.split(largest: 200_000, using: &random)) == input)
    let threads = Int.random(in: 1...5, using: &random)
    #expect(try await decompress([archive], threads: threads) == input)
  }

  @Test(arguments: Seed.fresh(6))
  func `pieces and threads do not change the archive`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    let input = [UInt8].mixed(Int.random(in: 0...6_000_000, using: &random), using: &random)
    let level = Int.random(in: 1...9, using: &random)
    let archive = try await compress([input], level: level, threads: 1)
    for threads in [1, 2, 5] {
      let pieces = input.split(largest: 3_000_000, using: &random)
      #expect(try await compress(pieces, level: level, threads: threads) == archive)
    }
  }

  @Test func `an empty input gives one empty member`() async throws {
    let members = try await compress([[], []])
    #expect(members.count == 1)
    #expect(try await decompress(members) == [])
    #expect(try Gzip.gunzip(members[0]) == [])
  }

  @Test(arguments: [1, 1 << 20 - 1, 1 << 20, 1 << 20 + 1, 2 << 20])
  func `members hold 1 MiB each, and tell their size`(byteCount: Int) async throws {
    var random = SplitMix(seed: 1)
    let input = [UInt8].noise(byteCount, using: &random)
    let members = try await compress([input])
    for (index, member) in members.enumerated() {
      let block = Array(input.dropFirst(index << 20).prefix(1 << 20))
      #expect(try Gzip.gunzip(member) == block)
      #expect(member.prefix(16) == [31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 82, 66, 4, 0])
      #expect(member[16..<20].reversed().reduce(0) { $0 << 8 | Int($1) } == member.count)
    }
  }

  @Test func `a level outside 0 to 9 counts as the nearer end`() async throws {
    var random = SplitMix(seed: 2)
    let input = [UInt8].mixed(100_000, using: &random)
    for (level, nearest) in [(Int.min, 0), (-1, 0), (10, 9), (Int.max, 9)] {
      #expect(
        try await compress([input], level: level) == compress([input], level: nearest))
    }
  }

  @Test func `what cannot be deflated grows by less than a thousandth`() async throws {
    var random = SplitMix(seed: 3)
    let input = [UInt8].noise(3 << 20, using: &random)
    for level in 0...9 {
      let archive = try await compress([input], level: level).together
      #expect(archive.count < input.count + input.count / 1000)
    }
  }
}
