/// Cuts ranges out of bytes that go by in blocks.
struct PayloadCutter: Sendable {
  /// What a block holds of the ranges.
  enum Piece: Sendable, Equatable {
    /// The range of that number begins.
    case begin(Int)
    /// The next bytes of it, counted from the start of the block.
    case bytes(Range<Int>)
    /// It ends.
    case end(Int)
  }

  private let ranges: [Range<UInt64>]
  private var index = 0
  private var hasBegun = false
  private var byteOffset: UInt64 = 0

  /// - Parameter ranges: In ascending order; none reaches into the next.
  init(_ ranges: [Range<UInt64>]) {
    self.ranges = ranges
  }

  /// Whether all ranges have ended.
  var isDone: Bool { index == ranges.count }

  /// Takes the next block.
  mutating func cut(blockOf byteCount: Int) -> [Piece] {
    let start = byteOffset
    let end = start + UInt64(byteCount)
    byteOffset = end
    var pieces: [Piece] = []
    while index < ranges.count, ranges[index].lowerBound < end {
      let range = ranges[index]
      if !hasBegun { pieces.append(.begin(index)) }
      hasBegun = true
      let part = max(range.lowerBound, start)..<min(range.upperBound, end)
      if !part.isEmpty {
        pieces.append(.bytes(Int(part.lowerBound - start)..<Int(part.upperBound - start)))
      }
      guard range.upperBound <= end else { break }
      pieces.append(.end(index))
      hasBegun = false
      index += 1
    }
    return pieces
  }
}
