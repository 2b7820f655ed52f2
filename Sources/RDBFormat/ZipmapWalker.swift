/// Checks a zipmap, the small hash of Redis before 2.6.
///
/// Source: `src/zipmap.c` of Redis 7.0.
struct ZipmapWalker: TokenParser, Sendable {
  var carry = TokenCarry()
  /// The fields so far.
  private(set) var elementCount: UInt64 = 0

  private var claimedCount: UInt8 = 0
  private var phase = Phase.header
  private var isValue = false

  private enum Phase {
    case header, length, end
    case skip(UInt64)
  }

  /// Starts a zipmap.
  mutating func begin() {
    carry.reset()
    elementCount = 0
    phase = .header
    isValue = false
  }

  mutating func advance(_ bytes: Span<UInt8>, _ position: inout Int) throws(RDBError.Kind) {
    while position < bytes.count {
      switch phase {
      case .header:
        claimedCount = bytes[position]
        phase = .length
        position += 1
      case .length:
        guard try length(bytes, &position) else { return }
      case .skip(let count):
        let taken = min(count, UInt64(bytes.count - position))
        position += Int(taken)
        phase = taken == count ? .length : .skip(count - taken)
      case .end:
        throw .malformed("bytes after the end of a zipmap")
      }
    }
  }

  private mutating func length(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    let first = bytes[position]
    if first == 0xff {
      guard !isValue else { throw .malformed("a zipmap has a field without a value") }
      phase = .end
      position += 1
      return true
    }
    // A value's length is followed by the number of unused bytes behind the value.
    let prefix = first == 0xfe ? 5 : 1
    guard bytes.count - position >= prefix + 1 else { return false }
    var count = first == 0xfe ? UInt64(bytes.littleEndian32(at: position + 1)) : UInt64(first)
    position += prefix
    if isValue {
      count += UInt64(bytes[position])
      position += 1
      elementCount += 1
    }
    isValue.toggle()
    phase = .skip(count)
    return true
  }

  /// Checks that the zipmap ended where it should.
  func finish() throws(RDBError.Kind) {
    guard case .end = phase else { throw .malformed("a zipmap has no end") }
    guard claimedCount >= 254 || UInt64(claimedCount) == elementCount else {
      throw .malformed("a zipmap of \(elementCount) fields says \(claimedCount)")
    }
  }
}
