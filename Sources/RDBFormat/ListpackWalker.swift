/// Walks a listpack entry by entry: sizes, encodings, back lengths, entry count, terminator.
///
/// Source: the listpack specification (`listpack.md`) and `src/listpack.c` of Redis 7.0.
struct ListpackWalker: TokenParser, Sendable {
  var carry = TokenCarry()
  /// What the entries mean.
  var elements = PackedElements()

  private var byteCount: UInt64 = 0
  private var claimedCount: UInt16 = 0
  private var phase = Phase.header
  private var textRemaining: UInt64 = 0
  private var entryByteCount: UInt64 = 0

  private enum Phase {
    case header, entry, text, backLength, end
  }

  /// Starts a listpack of `byteCount` bytes.
  mutating func begin(byteCount: UInt64, shape: PackedElements.Shape) {
    carry.reset()
    elements.begin(shape)
    self.byteCount = byteCount
    phase = .header
  }

  mutating func advance(_ bytes: Span<UInt8>, _ position: inout Int) throws(RDBError.Kind) {
    while position < bytes.count {
      switch phase {
      case .header:
        guard try header(bytes, &position) else { return }
      case .entry:
        guard try entries(bytes, &position) else { return }
      case .text:
        let taken = min(textRemaining, UInt64(bytes.count - position))
        elements.appendText(bytes.extracting(position..<position + Int(taken)))
        position += Int(taken)
        textRemaining -= taken
        if textRemaining == 0 { phase = .backLength }
      case .backLength:
        guard try backLength(bytes, &position) else { return }
      case .end:
        throw .malformed("bytes after the end of a listpack")
      }
    }
  }

  /// Checks that the listpack ended where it should.
  func finish() throws(RDBError.Kind) {
    guard phase == .end else { throw .malformed("a listpack has no end") }
    guard claimedCount == .max || UInt64(claimedCount) == elements.entryCount else {
      throw .malformed("a listpack of \(elements.entryCount) entries says \(claimedCount)")
    }
    try elements.finish()
  }

  private mutating func header(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    guard bytes.count - position >= 6 else { return false }
    let claimed = UInt64(bytes.littleEndian32(at: position))
    guard claimed == byteCount else {
      throw .malformed("a listpack of \(byteCount) bytes says \(claimed)")
    }
    claimedCount = bytes.littleEndian16(at: position + 4)
    position += 6
    phase = .entry
    return true
  }

  // Takes entries as long as they are short and whole; leaves the entry phase for others.
  private mutating func entries(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    while position < bytes.count {
      let first = bytes[position]
      let available = bytes.count - position
      if first & 0x80 == 0 {
        guard available >= 2 else { return false }
        guard bytes[position + 1] == 1 else { throw Self.wrongBackLength }
        try elements.integer(Int64(first))
        position += 2
      } else if first & 0x40 == 0 {
        let count = Int(first & 0x3f)
        guard available >= count + 2 else {
          beginText(UInt64(count), headerByteCount: 1)
          position += 1
          return true
        }
        // Faults are reported at the back length, as for texts that come in pieces.
        let start = position + 1
        position = start + count
        guard bytes[position] == UInt8(count + 1) else { throw Self.wrongBackLength }
        try elements.text(bytes.extracting(start..<position))
        position += 1
      } else {
        guard try largeEntry(first, bytes, &position) else { return false }
        if phase != .entry { return true }
      }
    }
    return false
  }

  private mutating func largeEntry(
    _ first: UInt8, _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    let available = bytes.count - position
    switch first {
    case 0xc0...0xdf:
      guard available >= 3 else { return false }
      guard bytes[position + 2] == 2 else { throw Self.wrongBackLength }
      let bits = Int64(first & 0x1f) << 8 | Int64(bytes[position + 1])
      try elements.integer(bits >= 1 << 12 ? bits - 1 << 13 : bits)
      position += 3
    case 0xe0...0xef:
      guard available >= 2 else { return false }
      beginText(UInt64(first & 0x0f) << 8 | UInt64(bytes[position + 1]), headerByteCount: 2)
      position += 2
    case 0xf0:
      guard available >= 5 else { return false }
      beginText(UInt64(bytes.littleEndian32(at: position + 1)), headerByteCount: 5)
      position += 5
    case 0xf1...0xf4:
      let width = first == 0xf4 ? 8 : Int(first - 0xf1) + 2
      guard available >= width + 2 else { return false }
      guard bytes[position + width + 1] == UInt8(width + 1) else { throw Self.wrongBackLength }
      try elements.integer(bytes.signed(at: position + 1, width: width))
      position += width + 2
    case 0xff:
      phase = .end
      position += 1
    default:
      throw .malformed("a listpack has an entry of unknown encoding \(first)")
    }
    return true
  }

  private mutating func beginText(_ count: UInt64, headerByteCount: UInt64) {
    elements.beginText(byteCount: count)
    textRemaining = count
    entryByteCount = headerByteCount + count
    phase = count == 0 ? .backLength : .text
  }

  private mutating func backLength(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    let width =
      switch entryByteCount {
      case ...127: 1
      case ..<16_383: 2
      case ..<2_097_151: 3
      case ..<268_435_455: 4
      default: 5
      }
    guard bytes.count - position >= width else { return false }
    for index in 0..<width {
      let bits = UInt8(entryByteCount >> UInt64(7 * (width - 1 - index)) & 0x7f)
      guard bytes[position + index] == (index == 0 ? bits : bits | 0x80) else {
        throw Self.wrongBackLength
      }
    }
    try elements.endText()
    position += width
    phase = .entry
    return true
  }

  private static var wrongBackLength: RDBError.Kind {
    .malformed("an entry of a listpack has a wrong back length")
  }
}
