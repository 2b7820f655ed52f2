/// Checks an intset: its width, its size, and integers that ascend.
///
/// Source: `src/intset.c` of Redis 7.0.
struct IntsetWalker: TokenParser, Sendable {
  var carry = TokenCarry()
  /// The integers so far.
  private(set) var elementCount: UInt64 = 0

  private var byteCount: UInt64 = 0
  private var width = 0
  private var claimedCount: UInt64 = 0
  private var previous = Int64.min

  /// Starts an intset of `byteCount` bytes.
  mutating func begin(byteCount: UInt64) {
    carry.reset()
    elementCount = 0
    width = 0
    self.byteCount = byteCount
  }

  mutating func advance(_ bytes: Span<UInt8>, _ position: inout Int) throws(RDBError.Kind) {
    if width == 0 {
      guard bytes.count - position >= 8 else { return }
      let encoding = Int(bytes.littleEndian32(at: position))
      guard encoding == 2 || encoding == 4 || encoding == 8 else {
        throw .malformed("an intset with integers of \(encoding) bytes")
      }
      claimedCount = UInt64(bytes.littleEndian32(at: position + 4))
      guard claimedCount > 0, byteCount == 8 + claimedCount * UInt64(encoding) else {
        throw .malformed("an intset of \(claimedCount) integers in \(byteCount) bytes")
      }
      width = encoding
      position += 8
    }
    while bytes.count - position >= width {
      let value = bytes.signed(at: position, width: width)
      guard elementCount == 0 || value > previous else {
        throw .malformed("the integers of an intset do not ascend")
      }
      previous = value
      elementCount += 1
      position += width
    }
  }

  /// Checks that the intset ended where it should.
  func finish() throws(RDBError.Kind) {
    guard width > 0, elementCount == claimedCount else {
      throw .malformed("an intset is shorter than its header")
    }
  }
}
