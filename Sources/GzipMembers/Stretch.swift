/// A part of a block, and whether deflate is worth its time there.
struct Stretch: Equatable {
  let range: Range<Int>
  /// Looks like noise, for example a compressed or encrypted value: no byte is more frequent than
  /// others, and nothing repeats what stood shortly before.
  let isFlat: Bool

  /// A block in one stretch, whatever it looks like; none where it is empty.
  static func whole(_ block: [UInt8]) -> [Stretch] {
    block.isEmpty ? [] : [Stretch(range: 0..<block.count, isFlat: false)]
  }

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
      let chunks = flatStart..<chunkStart
      flatStart = chunkStart + chunkByteCount
      guard chunks.count >= minimumByteCount, !repeats.finds(chunks, of: bytes) else { continue }
      var flat = widened(chunks, of: bytes, from: plainStart)
      if plainStart < flat.lowerBound {
        stretches.append(Stretch(range: plainStart..<flat.lowerBound, isFlat: false))
      } else if let last = stretches.popLast() {
        flat = last.range.lowerBound..<flat.upperBound
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
  private static let edgeByteCount = 32

  /// Flat chunks with the noise on either side that fills no chunk: what is left of it among text makes
  /// the codes of the text longer, and slow to work out.
  private static func widened(
    _ chunks: Range<Int>, of bytes: Span<UInt8>, from start: Int
  ) -> Range<Int> {
    var (lower, upper) = (chunks.lowerBound, chunks.upperBound)
    while lower - edgeByteCount >= max(start, chunks.lowerBound - chunkByteCount),
      hasManyHighBits(bytes.extracting((lower - edgeByteCount)..<lower))
    {
      lower -= edgeByteCount
    }
    while upper + edgeByteCount <= min(bytes.count, chunks.upperBound + chunkByteCount),
      hasManyHighBits(bytes.extracting(upper..<(upper + edgeByteCount)))
    {
      upper += edgeByteCount
    }
    return lower..<upper
  }

  /// Whether about half of the bytes have their high bit set, as in noise and seldom in anything else;
  /// their count is a multiple of eight.
  private static func hasManyHighBits(_ bytes: Span<UInt8>) -> Bool {
    var count = 0
    for index in stride(from: 0, to: bytes.count, by: 8) {
      count &+= (bytes.word(at: index) & highBits).nonzeroBitCount
    }
    return count >= bytes.count / 4 && count <= bytes.count * 3 / 4
  }

  /// Whether the sum of the squares of the byte counts is at most 15 % above that of noise, which
  /// is n + n(n − 1) / 256 with a standard deviation of 3 %.
  private static func isFlat(_ bytes: Span<UInt8>) -> Bool {
    // Text is recognised before its bytes are counted.
    guard hasManyHighBits(bytes) else { return false }
    // Four tables, because a count that was just written is slow to read again; a quarter of a chunk is
    // no more than a byte can count.
    var counts: InlineArray<1024, UInt8> = .init(repeating: 0)
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
      let count =
        UInt32(counts[byte]) &+ UInt32(counts[256 + byte]) &+ UInt32(counts[512 + byte])
        &+ UInt32(counts[768 + byte])
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
    var position = range.lowerBound - 1
    while let zero = Self.zero(in: (position + 1)..<(range.upperBound - 8), of: bytes) {
      position = zero
      let word = bytes.word(at: position + 1)
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

  /// The place of the first zero byte in a range.
  private static func zero(in range: Range<Int>, of bytes: Span<UInt8>) -> Int? {
    var position = range.lowerBound
    while range.upperBound - position >= 8 {
      let word = bytes.word(at: position)
      // The lowest byte that borrows is the first that is zero.
      let zeros = (word &- 0x0101_0101_0101_0101) & ~word & highBits
      if zeros != 0 { return position + zeros.trailingZeroBitCount / 8 }
      position += 8
    }
    while position < range.upperBound {
      if bytes[position] == 0 { return position }
      position += 1
    }
    return nil
  }
}

private let highBits: UInt64 = 0x8080_8080_8080_8080

extension Span<UInt8> {
  /// Eight bytes, the first one lowest.
  @inline(__always)
  fileprivate func word(at index: Int) -> UInt64 {
    // One check for all eight, which then become one load.
    let bytes = extracting(index..<index + 8)
    let low =
      UInt64(bytes[0]) | UInt64(bytes[1]) << 8 | UInt64(bytes[2]) << 16 | UInt64(bytes[3]) << 24
    let high =
      UInt64(bytes[4]) | UInt64(bytes[5]) << 8 | UInt64(bytes[6]) << 16 | UInt64(bytes[7]) << 24
    return low | high << 32
  }
}
