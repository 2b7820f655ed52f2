import CRC64

/// Makes of a value in a file what `DUMP` gives and `RESTORE` takes: the type byte, the bytes of the value
/// as they lie in the file, the RDB version in two bytes, and the checksum of all that in eight.
///
/// Source: `createDumpPayload` and `verifyDumpPayload` in `src/cluster.c` of Redis 7.0.
public struct DumpPayload: Sendable {
  /// What comes in front of the value.
  public let head: [UInt8]
  private var checksum = CRC64()
  private let version: UInt16

  /// Starts a payload.
  ///
  /// - Parameters:
  ///   - typeCode: The type byte of the value.
  ///   - version: The RDB version of the file; a server refuses one that is newer than its own.
  public init(typeCode: UInt8, version: Int) {
    let head = [typeCode]
    self.head = head
    self.version = UInt16(clamping: version)
    checksum.update(head.span)
  }

  /// How many bytes a payload has whose value has so many.
  public static func byteCount(valueByteCount: UInt64) -> UInt64 { valueByteCount + 11 }

  /// Takes the next bytes of the value.
  public mutating func update(_ bytes: Span<UInt8>) {
    checksum.update(bytes)
  }

  /// What comes behind the value, once all of it was taken.
  public func tail() -> [UInt8] {
    let footer = Self.littleEndian(UInt64(version), byteCount: 2)
    var whole = checksum
    whole.update(footer.span)
    return footer + Self.littleEndian(whole.value, byteCount: 8)
  }

  private static func littleEndian(_ number: UInt64, byteCount: Int) -> [UInt8] {
    (0..<byteCount).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
  }
}
