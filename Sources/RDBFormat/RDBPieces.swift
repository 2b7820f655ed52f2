import CRC64

/// Computes the checksum of a file ahead of ``RDBInspector``, so that it and the parser can keep one
/// core busy each.
public struct RDBPieces: Sendable {
  private var checksum = CRC64()

  /// Starts with no bytes.
  public init() {}

  /// Takes the next bytes of the file.
  ///
  /// - Parameter bytes: Any number of bytes, zero included.
  /// - Returns: What ``RDBInspector/consume(_:)-(RDBPiece)`` takes, in the same order.
  public mutating func next(_ bytes: [UInt8]) -> RDBPiece {
    let before = checksum
    checksum.update(bytes.span)
    return RDBPiece(bytes: bytes, checksumBefore: before, checksumAfter: checksum)
  }
}
