import CFold
import CZlib

/// What ends a gzip member (RFC 1952, section 2.3.1): CRC-32 and size of what the member holds.
enum MemberTrailer {
  static let byteCount = 8

  /// The trailer of a member that holds this block of at most 1 MiB.
  static func bytes(of block: [UInt8]) -> [UInt8] {
    [checksum(of: block), UInt32(truncatingIfNeeded: block.count)].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }

  /// What zlib gives; where the processor multiplies without carry, in less than half of the time.
  static func checksum(of block: [UInt8]) -> UInt32 {
    unsafe block.withUnsafeBufferPointer { bytes in
      let foldedByteCount = bytes.count & ~63
      guard foldedByteCount > 0, fold_is_available() else { return unsafe checksum(0, bytes) }
      // The register of zlib is its value with all bits flipped. The folded bytes hold what the register
      // did, so that theirs begins with no bit set.
      let folded = unsafe fold32(.max, bytes.baseAddress, foldedByteCount)
      let value = unsafe withUnsafeBytes(of: folded) { folded in
        unsafe checksum(.max, folded.bindMemory(to: UInt8.self))
      }
      return unsafe checksum(value, UnsafeBufferPointer(rebasing: bytes[foldedByteCount...]))
    }
  }

  private static func checksum(_ before: UInt32, _ bytes: UnsafeBufferPointer<UInt8>) -> UInt32 {
    UInt32(
      truncatingIfNeeded: unsafe crc32(uLong(before), bytes.baseAddress, uInt(bytes.count)))
  }
}
