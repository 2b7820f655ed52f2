// Fixed-width integers at an index that the caller has checked, and copies.

extension Span<UInt8> {
  @inline(__always)
  func littleEndian16(at index: Int) -> UInt16 {
    let bytes = extracting(index..<index + 2)
    return UInt16(bytes[0]) | UInt16(bytes[1]) << 8
  }

  @inline(__always)
  func littleEndian32(at index: Int) -> UInt32 {
    let bytes = extracting(index..<index + 4)
    return UInt32(bytes[0]) | UInt32(bytes[1]) << 8 | UInt32(bytes[2]) << 16
      | UInt32(bytes[3]) << 24
  }

  @inline(__always)
  func littleEndian64(at index: Int) -> UInt64 {
    // One check for all eight, which then become one load.
    let bytes = extracting(index..<index + 8)
    let low =
      UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
    let high =
      UInt64(bytes[4]) | UInt64(bytes[5]) << 8 | UInt64(bytes[6]) << 16 | UInt64(bytes[7]) << 24
    return low | high << 32
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

extension MutableSpan<UInt8> {
  @inline(__always)
  mutating func storeLittleEndian64(_ word: UInt64, at index: Int) {
    // One check for all eight, which then become one store.
    guard index >= 0, index <= count - 8 else { return }
    for byte in 0..<8 {
      self[index &+ byte] = UInt8(truncatingIfNeeded: word >> UInt64(8 * byte))
    }
  }
}

extension [UInt8] {
  /// Replaces as many bytes as are given.
  @inline(__always)
  mutating func overwrite(from start: Int, with bytes: Span<UInt8>) {
    guard start >= 0, bytes.count <= count - start else { return }
    var target = mutableSpan
    guard bytes.count >= 8 else {
      for index in 0..<bytes.count {
        target[start &+ index] = bytes[index]
      }
      return
    }
    var index = 0
    while bytes.count - index > 8 {
      target.storeLittleEndian64(bytes.littleEndian64(at: index), at: start &+ index)
      index += 8
    }
    // The last word overlaps the one before it: cheaper than a few bytes one by one.
    index = bytes.count - 8
    target.storeLittleEndian64(bytes.littleEndian64(at: index), at: start &+ index)
  }
}
