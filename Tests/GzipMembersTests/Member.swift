import GzipMembers

/// A gzip member put together by hand.
struct Member {
  enum Fields {
    case ours
    case any(flags: UInt8)
  }

  let content: [UInt8]
  private(set) var bytes: [UInt8]

  init(content: [UInt8], deflated: [UInt8], fields: Fields) {
    self.content = content
    switch fields {
    case .ours:
      bytes = [31, 139, 8, 4, 0, 0, 0, 0, 0, 255, 8, 0, 82, 66, 4, 0, 0, 0, 0, 0] + deflated
      bytes.setHint(bytes.count)
    case .any(let flags):
      bytes = [31, 139, 8, flags, 1, 2, 3, 4, 2, 3]
      if flags & 4 != 0 { bytes += [10, 0, 82, 66, 2, 0, 9, 9, 90, 90, 0, 0] }
      if flags & 8 != 0 { bytes += Array("a name".utf8) + [0] }
      if flags & 16 != 0 { bytes += Array("a comment".utf8) + [0] }
      if flags & 2 != 0 {
        let checksum = crc32(bytes)
        bytes += [UInt8(truncatingIfNeeded: checksum), UInt8(truncatingIfNeeded: checksum >> 8)]
      }
      bytes += deflated
    }
  }

  private init(content: [UInt8], bytes: [UInt8]) {
    self.content = content
    self.bytes = bytes
  }

  /// A member with any of the optional header fields, and a few bytes of content.
  static func foreign(using random: inout SplitMix) throws -> Member {
    let content = [UInt8].mixed(Int.random(in: 0...500, using: &random), using: &random)
    return Member(
      content: content, deflated: try deflated(content),
      fields: .any(flags: UInt8.random(in: 0...31, using: &random)))
  }

  /// A member as we make it, with a few bytes of content.
  static func ours(using random: inout SplitMix) async throws -> Member {
    let content = [UInt8].mixed(Int.random(in: 0...500, using: &random), using: &random)
    return Member(content: content, bytes: try await compress([content])[0])
  }

  /// The deflate data and the trailer.
  static func deflated(_ content: [UInt8]) throws -> [UInt8] {
    // Without a name gzip writes a header of ten bytes.
    Array(try Gzip.run("-nc", content).bytes.dropFirst(10))
  }
}

extension [UInt8] {
  /// Writes another size into the header of a member of ours.
  mutating func setHint(_ byteCount: Int) {
    for index in 0..<4 {
      self[16 + index] = UInt8(truncatingIfNeeded: byteCount >> (8 * index))
    }
  }
}

/// RFC 1952, section 8, bit by bit.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  var checksum: UInt32 = 0xffff_ffff
  for byte in bytes {
    checksum ^= UInt32(byte)
    for _ in 0..<8 {
      checksum = checksum & 1 == 0 ? checksum >> 1 : checksum >> 1 ^ 0xedb8_8320
    }
  }
  return ~checksum
}
