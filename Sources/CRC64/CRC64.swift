import CFold

/// The 64-bit checksum at the end of an RDB file, computed over any number of pieces.
///
/// Polynomial `0xad93d23594c935a9` (Jones), input and output reflected, initial value and final
/// exclusive-or zero; `123456789` gives `e9c6d914c4b8d9ca`. Source: `src/crc64.c` of Redis 7.0.
public struct CRC64: Sendable, Equatable {
  /// The checksum of all bytes so far; 0 before the first.
  public private(set) var value: UInt64

  /// Starts with no bytes.
  public init() {
    value = 0
  }

  /// Takes the next bytes. Any split of the same bytes gives the same value.
  public mutating func update(_ bytes: Span<UInt8>) {
    let foldedByteCount = bytes.count & ~63
    guard foldedByteCount > 0, fold_is_available() else { return look(up: bytes) }
    let folded = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe fold64(value, buffer.baseAddress, foldedByteCount)
    }
    let tables = CRC64Tables.shared
    let slices = tables.slices.span
    value = CRC64.look(CRC64.look(folded.first, slices) ^ folded.second, slices)
    look(up: bytes.extracting(droppingFirst: foldedByteCount))
  }

  /// Takes the next bytes with table lookups alone, as processors without carry-less multiplication do.
  mutating func look(up bytes: Span<UInt8>) {
    let tables = CRC64Tables.shared
    let slices = tables.slices.span
    let advance = tables.advance.span
    guard slices.count == 8 * 256, advance.count == 8 * 256 else { return }
    let laneByteCount = CRC64Tables.laneByteCount
    var checksum = value
    var index = 0
    while bytes.count - index >= 4 * laneByteCount {
      checksum = CRC64.fourLanes(checksum, bytes.extracting(index..<index + 4 * laneByteCount))
      index += 4 * laneByteCount
    }
    while bytes.count - index >= 8 {
      checksum = CRC64.look(checksum ^ CRC64.word(bytes, at: index), slices)
      index += 8
    }
    while index < bytes.count {
      checksum = checksum >> 8 ^ slices[Int((checksum ^ UInt64(bytes[index])) & 0xff)]
      index += 1
    }
    value = checksum
  }

  // One lane waits for each table lookup; four independent lanes keep the processor busy.
  // As the checksum is linear, the lanes are joined by shifting over the zeros of a lane.
  private static func fourLanes(_ checksum: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
    let tables = CRC64Tables.shared
    let slices = tables.slices.span
    let advance = tables.advance.span
    let count = CRC64Tables.laneByteCount
    guard slices.count == 8 * 256, advance.count == 8 * 256 else { return checksum }
    let (first, second) = (bytes.extracting(0..<count), bytes.extracting(count..<2 * count))
    let third = bytes.extracting(2 * count..<3 * count)
    let fourth = bytes.extracting(3 * count..<4 * count)
    var (a, b, c, d) = (checksum, UInt64(0), UInt64(0), UInt64(0))
    var index = 0
    while count - index >= 8 {
      a = look(a ^ word(first, at: index), slices)
      b = look(b ^ word(second, at: index), slices)
      c = look(c ^ word(third, at: index), slices)
      d = look(d ^ word(fourth, at: index), slices)
      index += 8
    }
    return look(look(look(a, advance) ^ b, advance) ^ c, advance) ^ d
  }

  @inline(__always)
  private static func look(_ word: UInt64, _ table: Span<UInt64>) -> UInt64 {
    let low =
      table[7 * 256 + Int(word & 0xff)] ^ table[6 * 256 + Int(word >> 8 & 0xff)]
      ^ table[5 * 256 + Int(word >> 16 & 0xff)] ^ table[4 * 256 + Int(word >> 24 & 0xff)]
    let high =
      table[3 * 256 + Int(word >> 32 & 0xff)] ^ table[2 * 256 + Int(word >> 40 & 0xff)]
      ^ table[256 + Int(word >> 48 & 0xff)] ^ table[Int(word >> 56)]
    return low ^ high
  }

  @inline(__always)
  private static func word(_ bytes: Span<UInt8>, at index: Int) -> UInt64 {
    let low =
      UInt64(bytes[index]) | UInt64(bytes[index + 1]) << 8 | UInt64(bytes[index + 2]) << 16
      | UInt64(bytes[index + 3]) << 24
    let high =
      UInt64(bytes[index + 4]) | UInt64(bytes[index + 5]) << 8 | UInt64(bytes[index + 6]) << 16
      | UInt64(bytes[index + 7]) << 24
    return low | high << 32
  }
}
