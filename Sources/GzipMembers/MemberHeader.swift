/// The header of our members: RFC 1952 with one extra subfield, "RB", of four bytes: the size of
/// the whole member, header and trailer included, least significant byte first.
///
/// The size lets a reader find all members without inflating them. It is only a hint.
enum MemberHeader {
  /// ID1 ID2, CM 8 (deflate), FLG 4 (FEXTRA), MTIME 0, XFL 0, OS 255 (unknown), XLEN 8, then the
  /// id and the length of the subfield.
  private static let prefix: [UInt8] = [
    0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 0x52, 0x42, 4, 0,
  ]

  static let byteCount = 20
  /// An empty deflate stream has two bytes.
  static let memberByteCountRange = (byteCount + MemberTrailer.byteCount + 2)...(2 << 20)
  /// The input of one member, and so the most that one member of ours inflates to.
  static let blockByteCount = 1 << 20

  static func bytes(memberByteCount: Int) -> [UInt8] {
    let size = UInt32(truncatingIfNeeded: memberByteCount)
    return prefix + (0..<4).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) }
  }

  /// The size of the member that starts here, if the header is exactly one of ours and its size is
  /// one that ours can have.
  static func hintedByteCount(_ header: ArraySlice<UInt8>) -> Int? {
    guard header.count >= byteCount, header.starts(with: prefix) else { return nil }
    let size = header.dropFirst(prefix.count).prefix(4).reversed()
      .reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    guard memberByteCountRange.contains(Int(size)) else { return nil }
    return Int(size)
  }
}
