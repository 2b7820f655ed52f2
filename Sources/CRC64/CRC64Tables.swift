/// Lookup tables, computed once.
struct CRC64Tables: Sendable {
  static let shared = CRC64Tables()
  static let laneByteCount = 1 << 12

  /// `slices[k * 256 + b]`: what byte `b` adds when `k` more bytes follow it in the same word.
  let slices: [UInt64]
  /// The same shape for shifting a checksum over the zeros of a whole lane.
  let advance: [UInt64]

  private init() {
    var slices = [UInt64](repeating: 0, count: 8 * 256)
    for byte in 0..<256 {
      var remainder = UInt64(byte)
      for _ in 0..<8 {
        remainder = remainder >> 1 ^ (remainder & 1 == 1 ? CRC64Tables.reflectedPolynomial : 0)
      }
      slices[byte] = remainder
    }
    for index in 256..<8 * 256 {
      let previous = slices[index - 256]
      slices[index] = previous >> 8 ^ slices[Int(previous & 0xff)]
    }
    self.slices = slices
    advance = CRC64Tables.advanceTable(oneByte: slices)
  }

  private static let reflectedPolynomial: UInt64 = 0x95ac_9329_ac4b_c9b5

  private static func advanceTable(oneByte slices: [UInt64]) -> [UInt64] {
    // Column k is where bit k ends up after one zero byte; each squaring doubles the distance.
    var columns = (0..<64).map { bit in
      let value = UInt64(1) << UInt64(bit)
      return value >> 8 ^ slices[Int(value & 0xff)]
    }
    var byteCount = 1
    while byteCount < laneByteCount {
      columns = columns.map { apply(columns, to: $0) }
      byteCount *= 2
    }
    var table = [UInt64](repeating: 0, count: 8 * 256)
    for slice in 0..<8 {
      for byte in 0..<256 {
        // Slice 7 belongs to the lowest byte, as in `slices`.
        table[slice * 256 + byte] = apply(columns, to: UInt64(byte) << UInt64(8 * (7 - slice)))
      }
    }
    return table
  }

  private static func apply(_ columns: [UInt64], to value: UInt64) -> UInt64 {
    var result: UInt64 = 0
    for bit in 0..<64 where value >> UInt64(bit) & 1 == 1 {
      result ^= columns[bit]
    }
    return result
  }
}
