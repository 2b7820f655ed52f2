// Fixed-width integers at an index that the caller has checked.

extension Span<UInt8> {
  @inline(__always)
  func littleEndian16(at index: Int) -> UInt16 {
    UInt16(self[index]) | UInt16(self[index + 1]) << 8
  }

  @inline(__always)
  func littleEndian32(at index: Int) -> UInt32 {
    UInt32(littleEndian16(at: index)) | UInt32(littleEndian16(at: index + 2)) << 16
  }

  @inline(__always)
  func littleEndian64(at index: Int) -> UInt64 {
    UInt64(littleEndian32(at: index)) | UInt64(littleEndian32(at: index + 4)) << 32
  }

  @inline(__always)
  func bigEndian32(at index: Int) -> UInt32 {
    littleEndian32(at: index).byteSwapped
  }

  @inline(__always)
  func bigEndian64(at index: Int) -> UInt64 {
    littleEndian64(at: index).byteSwapped
  }

  /// A signed integer of 1, 2, 3, 4 or 8 bytes.
  @inline(__always)
  func signed(at index: Int, width: Int) -> Int64 {
    switch width {
    case 1: Int64(Int8(bitPattern: self[index]))
    case 2: Int64(Int16(bitPattern: littleEndian16(at: index)))
    case 3:
      Int64(
        Int32(bitPattern: UInt32(littleEndian16(at: index)) << 8 | UInt32(self[index + 2]) << 24)
          >> 8)
    case 4: Int64(Int32(bitPattern: littleEndian32(at: index)))
    default: Int64(bitPattern: littleEndian64(at: index))
    }
  }
}
