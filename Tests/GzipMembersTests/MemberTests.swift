import Testing

@testable import GzipMembers

/// Members of ours, inflated without zlib's own reading of header and trailer.
@Suite struct MemberTests {
  @Test(arguments: [0, 1, 63, 64, 65, 127, 128, 192, 1000, 4096, 100_003, 1 << 20])
  func `the checksum is that of RFC 1952, on any processor`(byteCount: Int) {
    var random = SplitMix(seed: UInt64(byteCount))
    let bytes = [UInt8].noise(byteCount, using: &random)
    #expect(MemberTrailer.checksum(of: bytes) == crc32(bytes))
  }

  @Test(arguments: [0, 1, 100, 100_000, 1 << 20])
  func `a member gives its block`(byteCount: Int) throws {
    var random = SplitMix(seed: 21)
    let block = [UInt8].mixed(byteCount, using: &random)
    let member = try Deflater(level: DeflateLevel(6)).member(of: block)
    #expect(try MemberInflater().block(of: member) == block)
    #expect(try Gzip.gunzip(member) == block)
  }

  @Test func `damage in any place of a member is found`() throws {
    var random = SplitMix(seed: 22)
    let block = [UInt8].mixed(500, using: &random)
    let member = try Deflater(level: DeflateLevel(6)).member(of: block)
    let inflater = try MemberInflater()
    for bit in 0..<(member.count * 8) {
      var damaged = member
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = inflater.block(of: damaged)
      // A bit that deflate does not look at, as in the padding before a stored block, changes nothing.
      #expect(found == nil || found == block, "bit \(bit)")
      let isFramed = bit / 8 < MemberHeader.byteCount || bit / 8 >= member.count - 8
      #expect(!isFramed || found == nil, "bit \(bit)")
    }
    #expect(inflater.block(of: member) == block)
  }

  @Test func `a member that is cut, longer, or of another size than it says is refused`() throws {
    var random = SplitMix(seed: 23)
    let member = try Deflater(level: DeflateLevel(6)).member(of: .mixed(5000, using: &random))
    let inflater = try MemberInflater()
    for end in 0..<member.count {
      var cut = Array(member[..<end])
      #expect(inflater.block(of: cut) == nil)
      guard end >= MemberHeader.byteCount else { continue }
      cut.setHint(end)
      #expect(inflater.block(of: cut) == nil)
    }
    var longer = member
    longer.insert(0, at: member.count - 8)
    longer.setHint(longer.count)
    #expect(inflater.block(of: longer) == nil)
  }
}
