// Lengths and strings. Every function that returns nil or false needs more bytes, and goes on
// where it stopped when it is called again.

extension RDBParser {
  /// How far the current string has been read.
  enum Content: Sendable {
    case none
    case raw(remaining: UInt64)
    case compressed(remaining: UInt64)
  }

  /// What a string is for.
  enum Sink: Sendable {
    case discard, key, text, packed
  }

  /// Reads a length or a count.
  @inline(__always)
  func length(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> UInt64? {
    guard position < bytes.count else { return nil }
    let first = bytes[position]
    switch first >> 6 {
    case 0:
      position += 1
      return UInt64(first)
    case 1:
      guard bytes.count - position >= 2 else { return nil }
      defer { position += 2 }
      return UInt64(first & 0x3f) << 8 | UInt64(bytes[position + 1])
    default:
      return try longLength(first, bytes, &position)
    }
  }

  private func longLength(
    _ first: UInt8, _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> UInt64? {
    switch first {
    case 0x80:
      guard bytes.count - position >= 5 else { return nil }
      defer { position += 5 }
      return UInt64(bytes.bigEndian32(at: position + 1))
    case 0x81:
      guard bytes.count - position >= 9 else { return nil }
      defer { position += 9 }
      return bytes.bigEndian64(at: position + 1)
    default:
      throw .malformed("a length of unknown encoding \(first)")
    }
  }

  /// Reads a length and checks it against the limit for elements and bytes.
  @inline(__always)
  func limitedLength(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> UInt64? {
    var end = position
    guard let length = try length(bytes, &end) else { return nil }
    guard length <= RDBParser.maximumLength else {
      throw .malformed("a length of \(length)")
    }
    position = end
    return length
  }

  /// Reads `count` lengths into `numbers`.
  mutating func numbers(
    _ count: Int, _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> Bool {
    while numberCount < count {
      guard let number = try length(bytes, &position) else { return false }
      numbers[numberCount] = number
      numberCount += 1
    }
    numberCount = 0
    return true
  }

  /// Reads a string.
  ///
  /// - Returns: Whether its end was reached.
  @inline(__always)
  mutating func string(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64, into sink: Sink
  ) throws(RDBError.Kind) -> Bool {
    // Most strings are short and plain, and all there.
    if case .none = content, position < bytes.count {
      let count = Int(bytes[position])
      if count < 0x40 && bytes.count - position > count {
        let start = position + 1
        if sink == .discard {
          position = start + count
          return true
        }
        if sink == .key {
          keys.append(bytes.extracting(start..<start + count))
          position = start + count
          return true
        }
      }
      if count == 0xc3 && sink == .discard,
        try compressedString(bytes, &position, base)
      {
        return true
      }
    }
    return try anyString(bytes, &position, base, into: sink)
  }

  // Checks a compressed string that is needed for nothing, when it is all there.
  private mutating func compressedString(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64
  ) throws(RDBError.Kind) -> Bool {
    var start = position
    guard let lengths = try compressedLengths(bytes, &start),
      lengths.compressed <= UInt64(bytes.count - start)
    else { return false }
    let end = start + Int(lengths.compressed)
    if let fault = LZFDecoder.check(bytes.extracting(start..<end), byteCount: lengths.whole) {
      packedFaultOffset = base &+ UInt64(start)
      throw fault
    }
    position = end
    return true
  }

  private func compressedLengths(
    _ bytes: Span<UInt8>, _ position: inout Int
  ) throws(RDBError.Kind) -> (compressed: UInt64, whole: UInt64)? {
    var end = position + 1
    guard let compressed = try length(bytes, &end), let whole = try length(bytes, &end) else {
      return nil
    }
    // Three bytes of a match stand for at most 264.
    guard compressed <= RDBParser.maximumLength, whole / 88 <= compressed else {
      throw .malformed("a compressed string of \(compressed) bytes claims to have \(whole)")
    }
    position = end
    return (compressed, whole)
  }

  private mutating func anyString(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64, into sink: Sink
  ) throws(RDBError.Kind) -> Bool {
    if case .none = content {
      guard try beginString(bytes, &position, base, into: sink) else { return false }
    }
    switch content {
    case .none:
      return true
    case .raw(let remaining):
      let taken = min(remaining, UInt64(bytes.count - position))
      if sink != .discard {
        try deliver(bytes.extracting(position..<position + Int(taken)), to: sink)
      }
      position += Int(taken)
      guard taken == remaining else {
        content = .raw(remaining: remaining - taken)
        return false
      }
    case .compressed(let remaining):
      let taken = min(remaining, UInt64(bytes.count - position))
      try decompress(bytes.extracting(position..<position + Int(taken)), to: sink)
      position += Int(taken)
      guard taken == remaining else {
        content = .compressed(remaining: remaining - taken)
        return false
      }
      try finishCompressed()
    }
    if sink == .packed { try finishPacked() }
    content = .none
    return true
  }

  private mutating func beginString(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64, into sink: Sink
  ) throws(RDBError.Kind) -> Bool {
    guard position < bytes.count else { return false }
    let first = bytes[position]
    guard first >= 0xc0 else {
      guard let count = try limitedLength(bytes, &position) else { return false }
      content = .raw(remaining: count)
      contentOffset = base &+ UInt64(position)
      beginContent(byteCount: count, to: sink)
      return true
    }
    guard first != 0xc3 else { return try beginCompressed(bytes, &position, base, into: sink) }
    guard first < 0xc3 else { throw .malformed("a string of unknown encoding \(first & 0x3f)") }
    guard sink != .packed else { throw .malformed("a number where a packed value must be") }
    let width = 1 << Int(first & 0x3f)
    guard bytes.count - position > width else { return false }
    let value = bytes.signed(at: position + 1, width: width)
    position += 1 + width
    beginContent(byteCount: 0, to: sink)
    if sink != .discard { try deliver(Array(String(value).utf8).span, to: sink) }
    return true
  }

  private mutating func beginCompressed(
    _ bytes: Span<UInt8>, _ position: inout Int, _ base: UInt64, into sink: Sink
  ) throws(RDBError.Kind) -> Bool {
    guard let lengths = try compressedLengths(bytes, &position) else { return false }
    content = .compressed(remaining: lengths.compressed)
    contentOffset = base &+ UInt64(position)
    lzf.begin(byteCount: lengths.whole, keepsOutput: sink != .discard)
    beginContent(byteCount: lengths.whole, to: sink)
    return true
  }

  private mutating func decompress(
    _ bytes: Span<UInt8>, to sink: Sink
  ) throws(RDBError.Kind) {
    var position = 0
    do throws(RDBError.Kind) {
      while position < bytes.count {
        // What comes before a fault is delivered first: it may have a fault of its own.
        let fault = lzf.decode(bytes, &position)
        if sink != .discard { try deliverOutput(to: sink) }
        if let fault { throw fault }
      }
    } catch {
      packedFaultOffset = contentOffset
      throw error
    }
  }

  private mutating func deliverOutput(to sink: Sink) throws(RDBError.Kind) {
    // Taken out for a moment: what it is delivered to is part of this value too.
    var output: [UInt8] = []
    swap(&output, &lzf.output)
    defer { swap(&output, &lzf.output) }
    try deliver(output.span.extracting(lzf.freshRange), to: sink)
    lzf.drain(&output)
  }

  private mutating func finishCompressed() throws(RDBError.Kind) {
    do throws(RDBError.Kind) {
      try lzf.finish()
    } catch {
      packedFaultOffset = contentOffset
      throw error
    }
  }

  private mutating func beginContent(byteCount: UInt64, to sink: Sink) {
    switch sink {
    case .discard, .key: return
    case .text:
      text.removeAll(keepingCapacity: true)
      textByteCount = 0
    case .packed:
      beginPacked(byteCount: byteCount)
    }
  }

  private mutating func deliver(_ bytes: Span<UInt8>, to sink: Sink) throws(RDBError.Kind) {
    switch sink {
    case .discard: return
    case .key: keys.append(bytes)
    case .text:
      textByteCount += UInt64(bytes.count)
      for index in 0..<min(bytes.count, RDBParser.keptNameByteCount - text.count) {
        text.append(bytes[index])
      }
    case .packed:
      try deliverPacked(bytes)
    }
  }
}
