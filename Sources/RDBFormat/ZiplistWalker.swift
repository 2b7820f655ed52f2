/// Walks a ziplist entry by entry: sizes, encodings, previous lengths, tail, count, terminator.
///
/// Source: the comment at the head of `src/ziplist.c` of Redis 6.2.
struct ZiplistWalker: TokenParser, Sendable {
  var carry = TokenCarry()
  /// What the entries mean.
  var elements = PackedElements()

  private var byteCount: UInt64 = 0
  private var claimedTail: UInt64 = 0
  private var claimedCount: UInt16 = 0
  private var phase = Phase.header
  private var textRemaining: UInt64 = 0
  private var previousByteCount: UInt64 = 0
  private var tail: UInt64 = 0
  private var next: UInt64 = 0

  private enum Phase {
    case header, entry, text, end
  }

  private static let headerByteCount = 10

  /// Starts a ziplist of `byteCount` bytes.
  mutating func begin(byteCount: UInt64, shape: PackedElements.Shape) {
    carry.reset()
    elements.begin(shape)
    self.byteCount = byteCount
    phase = .header
    previousByteCount = 0
    tail = UInt64(ZiplistWalker.headerByteCount)
    next = tail
  }

  mutating func advance(_ bytes: Span<UInt8>, _ position: inout Int) throws(RDBError.Kind) {
    while position < bytes.count {
      switch phase {
      case .header:
        guard try header(bytes, &position) else { return }
      case .entry:
        guard try entry(bytes, &position) else { return }
      case .text:
        let taken = min(textRemaining, UInt64(bytes.count - position))
        elements.appendText(bytes.extracting(position..<position + Int(taken)))
        position += Int(taken)
        textRemaining -= taken
        guard textRemaining == 0 else { return }
        try elements.endText()
        phase = .entry
      case .end:
        throw .malformed("bytes after the end of a ziplist")
      }
    }
  }

  /// Checks that the ziplist ended where it should.
  func finish() throws(RDBError.Kind) {
    guard phase == .end else { throw .malformed("a ziplist has no end") }
    guard claimedTail == tail else {
      throw .malformed("the last entry of a ziplist is at \(tail), not at \(claimedTail)")
    }
    guard claimedCount == .max || UInt64(claimedCount) == elements.entryCount else {
      throw .malformed("a ziplist of \(elements.entryCount) entries says \(claimedCount)")
    }
    try elements.finish()
  }

  private mutating func header(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    guard bytes.count - position >= ZiplistWalker.headerByteCount else { return false }
    let claimed = UInt64(bytes.littleEndian32(at: position))
    guard claimed == byteCount else {
      throw .malformed("a ziplist of \(byteCount) bytes says \(claimed)")
    }
    claimedTail = UInt64(bytes.littleEndian32(at: position + 4))
    claimedCount = bytes.littleEndian16(at: position + 8)
    position += ZiplistWalker.headerByteCount
    phase = .entry
    return true
  }

  private mutating func entry(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    let first = bytes[position]
    if first == 0xff {
      phase = .end
      position += 1
      return true
    }
    let prefix = first == 0xfe ? 5 : 1
    let start = position + prefix
    guard bytes.count > start else { return false }
    let before = first == 0xfe ? UInt64(bytes.littleEndian32(at: position + 1)) : UInt64(first)
    guard before == previousByteCount else {
      throw .malformed("an entry of a ziplist has a wrong previous length")
    }
    let encoding = bytes[start]
    switch encoding {
    case 0x00...0x3f:
      beginText(UInt64(encoding), prefix + 1, &position)
    case 0x40...0x7f:
      guard bytes.count - start >= 2 else { return false }
      beginText(UInt64(encoding & 0x3f) << 8 | UInt64(bytes[start + 1]), prefix + 2, &position)
    case 0x80:
      guard bytes.count - start >= 5 else { return false }
      beginText(UInt64(bytes.bigEndian32(at: start + 1)), prefix + 5, &position)
    case 0xf1...0xfd:
      try elements.integer(Int64(encoding) - 0xf1)
      endEntry(prefix + 1, &position)
    case 0xc0, 0xd0, 0xe0, 0xf0, 0xfe:
      let width =
        switch encoding {
        case 0xc0: 2
        case 0xd0: 4
        case 0xe0: 8
        case 0xf0: 3
        default: 1
        }
      guard bytes.count - start >= width + 1 else { return false }
      try elements.integer(bytes.signed(at: start + 1, width: width))
      endEntry(prefix + 1 + width, &position)
    default:
      throw .malformed("a ziplist has an entry of unknown encoding \(encoding)")
    }
    if phase == .text && textRemaining == 0 {
      try elements.endText()
      phase = .entry
    }
    return true
  }

  private mutating func beginText(
    _ count: UInt64, _ headerByteCount: Int, _ position: inout Int
  ) {
    elements.beginText(byteCount: count)
    textRemaining = count
    phase = .text
    tail = next
    previousByteCount = UInt64(headerByteCount) + count
    next += previousByteCount
    position += headerByteCount
  }

  private mutating func endEntry(_ count: Int, _ position: inout Int) {
    tail = next
    previousByteCount = UInt64(count)
    next += previousByteCount
    position += count
  }
}
