/// A part of a block, and whether deflate is worth its time there.
struct Stretch: Equatable {
  let range: Range<Int>
  /// Looks like noise, for example a compressed or encrypted value: no byte is more frequent than
  /// others, and nothing repeats what stood shortly before.
  let isFlat: Bool

  /// Parts a block in stretches. Flat ones are at least 4 KiB: between small keys a switch costs
  /// more than it saves.
  static func stretches(of block: [UInt8]) -> [Stretch] {
    var stretches: [Stretch] = []
    var repeats = RepeatFinder()
    var plainStart = 0
    var flatStart = 0
    let bytes = block.span
    for chunkStart in stride(from: 0, through: block.count, by: chunkByteCount) {
      let isLast = chunkStart + chunkByteCount > block.count
      if !isLast, isFlat(bytes.extracting(chunkStart..<(chunkStart + chunkByteCount))) { continue }
      let flat = flatStart..<chunkStart
      flatStart = chunkStart + chunkByteCount
      guard flat.count >= minimumByteCount, !repeats.finds(flat, of: bytes) else { continue }
      if plainStart < flat.lowerBound {
        stretches.append(Stretch(range: plainStart..<flat.lowerBound, isFlat: false))
      }
      stretches.append(Stretch(range: flat, isFlat: true))
      plainStart = flat.upperBound
    }
    if plainStart < block.count {
      stretches.append(Stretch(range: plainStart..<block.count, isFlat: false))
    }
    return stretches
  }

  private static let chunkByteCount = 512
  private static let minimumByteCount = 4096

  /// Whether the sum of the squares of the byte counts is at most 15 % above that of noise, which
  /// is n + n(n − 1) / 256 with a standard deviation of 3 %.
  private static func isFlat(_ bytes: Span<UInt8>) -> Bool {
    // Four tables, because a count that was just written is slow to read again.
    var counts: InlineArray<1024, UInt32> = .init(repeating: 0)
    var index = 0
    while index < bytes.count - 3 {
      counts[Int(bytes[index])] &+= 1
      counts[256 + Int(bytes[index + 1])] &+= 1
      counts[512 + Int(bytes[index + 2])] &+= 1
      counts[768 + Int(bytes[index + 3])] &+= 1
      index += 4
    }
    var sum: UInt32 = 0
    for byte in 0..<256 {
      let count = counts[byte] &+ counts[256 + byte] &+ counts[512 + byte] &+ counts[768 + byte]
      sum &+= count &* count
    }
    return sum <= maximumSum
  }

  private static let maximumSum = UInt32(
    1.15 * (Double(chunkByteCount) + Double(chunkByteCount * (chunkByteCount - 1)) / 256))
}

/// Finds out whether noise repeats noise that deflate could still refer to: equal values under
/// many keys must not be stored again and again.
///
/// Looks at the eight bytes after each zero byte only, so one in 256: the same ones in every copy.
private struct RepeatFinder {
  private var words: [UInt64] = []
  private var positions: [Int] = []
  private static let slotCount = 1024
  private static let windowByteCount = 32 << 10

  mutating func finds(_ range: Range<Int>, of bytes: Span<UInt8>) -> Bool {
    if words.isEmpty {
      words = Array(repeating: 0, count: Self.slotCount)
      positions = Array(repeating: -Self.windowByteCount - 1, count: Self.slotCount)
    }
    var seenCount = 0
    var repeatCount = 0
    for position in range.lowerBound..<(range.upperBound - 8) where bytes[position] == 0 {
      var word: UInt64 = 0
      for offset in 1...8 { word = word << 8 | UInt64(bytes[position + offset]) }
      let slot = Int(truncatingIfNeeded: word % UInt64(Self.slotCount))
      seenCount += 1
      if words[slot] == word, position - positions[slot] <= Self.windowByteCount {
        repeatCount += 1
      }
      words[slot] = word
      positions[slot] = position
    }
    return repeatCount * 4 > seenCount
  }
}
