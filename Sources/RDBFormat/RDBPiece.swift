import CRC64

/// The next bytes of a file, with their part of its checksum worked out beforehand.
///
/// Made by ``RDBPieces``, which may run on another thread than the inspector.
public struct RDBPiece: Sendable {
  /// The bytes.
  public let bytes: [UInt8]
  /// The checksum of all bytes in front of these.
  let checksumBefore: CRC64
  /// The checksum of all bytes up to and including these.
  let checksumAfter: CRC64
}
