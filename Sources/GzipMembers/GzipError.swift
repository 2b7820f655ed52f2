/// Why a stream of bytes is not whole gzip.
public struct GzipError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What is wrong.
  public enum Kind: Sendable, Equatable {
    /// The stream does not start with a gzip member.
    case notGzip
    /// The stream ends inside a member, or is empty.
    case truncated
    /// Something that is neither a member nor zero padding follows the last member.
    case trailingBytes
    /// A header that zlib refuses: another method, reserved flags, a wrong header checksum.
    case badHeader
    /// Data that no deflate stream can hold.
    case badData
    /// The CRC-32 of the inflated bytes is not the one in the trailer.
    case wrongChecksum
    /// The number of inflated bytes is not the one in the trailer.
    case wrongLength
    /// zlib itself failed, for example with -4: out of memory.
    case zlib(Int32)
  }

  /// What is wrong.
  public let kind: Kind
  /// Where the member with the error starts, or the first trailing byte, counted in bytes from
  /// the start of the compressed stream.
  public let byteOffset: UInt64

  /// An error of this kind at this place.
  public init(_ kind: Kind, byteOffset: UInt64) {
    self.kind = kind
    self.byteOffset = byteOffset
  }

  /// The fact in words.
  public var description: String {
    let place = "in the gzip member at byte \(byteOffset)"
    return switch kind {
    case .notGzip: "not gzip"
    case .truncated: "the gzip data ends early \(place)"
    case .trailingBytes: "bytes that are not gzip follow at byte \(byteOffset)"
    case .badHeader: "unusable header \(place)"
    case .badData: "damaged deflate data \(place)"
    case .wrongChecksum: "wrong checksum \(place)"
    case .wrongLength: "wrong length \(place)"
    case .zlib(let code): "zlib failed with code \(code)"
    }
  }
}
