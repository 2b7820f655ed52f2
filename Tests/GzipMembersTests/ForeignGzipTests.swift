import GzipMembers
import Testing

/// Gzip that others made, and members that lie about their size.
@Suite struct ForeignGzipTests {
  @Test(arguments: Seed.fresh(6))
  func `the output of gzip is read in any pieces`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    let input = [UInt8].mixed(Int.random(in: 0...4_000_000, using: &random), using: &random)
    let archive = try Gzip.run("-c -\(Int.random(in: 1...9, using: &random))", input).bytes
    #expect(try await decompress([archive]) == input)
    #expect(try await decompress(archive.split(largest: 100_000, using: &random)) == input)
  }

  @Test(arguments: Seed.fresh(20))
  func `every header that RFC 1952 allows is read, one byte at a time`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    let members = try (0..<3).map { _ in try Member.foreign(using: &random) }
    let archive = members.map(\.bytes).together
    let input = members.map(\.content).together
    try #require(try Gzip.gunzip(archive) == input)
    #expect(try await decompress(archive.map { [$0] }) == input)
    #expect(try await decompress([archive]) == input)
  }

  @Test(arguments: Seed.fresh(20))
  func `our members and those of others mix`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    var archive: [UInt8] = []
    var input: [UInt8] = []
    for _ in 0..<8 {
      let member =
        try Bool.random(using: &random)
        ? Member.foreign(using: &random) : await Member.ours(using: &random)
      archive += member.bytes
      input += member.content
    }
    #expect(try await decompress(archive.split(largest: 500, using: &random)) == input)
  }

  @Test(arguments: Seed.fresh(5))
  func `a wrong size in a header changes nothing`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    var members: [Member] = []
    for _ in 0..<7 { members.append(try await Member.ours(using: &random)) }
    let input = members.map(\.content).together
    let right = members[2].bytes.count
    let two = right + members[3].bytes.count
    let lies = [
      0, 1, 20, 29, 30, right - 1, right + 1, right + 20, two - 1, two, two + 1, 1_000_000,
      2 << 20, 2 << 20 + 1, 1 << 31, 1 << 32 - 1,
    ]
    for lie in lies {
      var liars = members.map(\.bytes)
      liars[2].setHint(lie)
      let archive = liars.together
      #expect(try await decompress([archive]) == input, "\(lie)")
      #expect(try await decompress(archive.split(largest: 90, using: &random)) == input, "\(lie)")
    }
  }

  @Test func `a member with our field may hold more than 1 MiB`() async throws {
    let input = [UInt8](repeating: 0, count: 3_500_000)
    let member = Member(content: input, deflated: try Member.deflated(input), fields: .ours)
    let next = try await compress([[1, 2, 3]])
    let archive = ([member.bytes] + next + [member.bytes]).together
    try #require(try Gzip.gunzip(archive) == input + [1, 2, 3] + input)
    #expect(try await decompress([archive]) == input + [1, 2, 3] + input)
  }

  @Test func `a deflate bomb comes in small blocks, no faster than they are used`() async throws {
    let archive = try Gzip.run("-c", [UInt8](repeating: 0, count: 100 << 20)).bytes
    let pieces = stride(from: 0, to: archive.count, by: 1000).map {
      Array(archive[$0..<min($0 + 1000, archive.count)])
    }
    // A piece of 1,000 bytes is about 1 MiB of output.
    let gauge = try await Gauge.ofDecompression(pieces, threads: 2)
    #expect(gauge.highest <= 10)
  }
}
