/// Turns what a server sends to a new replica into its dump, in any split, without I/O.
///
/// Push the bytes that arrived, then take events until there is none. The stream is: line feeds while
/// the server makes its dump; then `$LENGTH` and that many bytes, or `$EOF:MARK`, any number of bytes,
/// and the 40 bytes of the mark once more. What follows the dump is not looked at.
///
/// Memory: what was pushed and not yet taken. A length that the server announces reserves nothing.
///
/// Source: `readSyncBulkPayload` in `replication.c` of Redis 6.2 to 8.6 and Valkey 8.1 to 9.1.
public struct DumpDecoder: Sendable {
  /// What the server tells.
  public enum Event: Sendable, Equatable {
    /// It is still at work on its dump.
    case waiting
    /// The dump begins; its size where the server knows it.
    case began(byteCount: UInt64?)
    /// The next bytes of the dump, never none.
    case bytes([UInt8])
    /// The dump is whole.
    case ended
    /// There will be no dump.
    case refused(RedisServerError)
  }

  private enum State {
    case waiting
    case counted(missingByteCount: UInt64)
    case marked(EndMark)
    case over
  }

  private static let maximumLineByteCount = 4 << 10

  private var state = State.waiting
  /// Pushed and not taken; nothing of it is done with.
  private var pending: [UInt8] = []
  private var byteOffset: UInt64 = 0
  private var failure: RESPError?

  /// Makes a decoder at the start of the answer to `SYNC`.
  public init() {}

  /// Takes the next bytes of the stream.
  ///
  /// - Parameter bytes: Any number of bytes, zero included.
  public mutating func push(_ bytes: some Sequence<UInt8>) {
    if case .over = state { return }
    pending.append(contentsOf: bytes)
  }

  /// The next event, or nil when it has not arrived yet or the dump has ended.
  ///
  /// - Throws: ``RESPError`` at the first element that cannot be one, and again at every later call.
  public mutating func next() throws(RESPError) -> Event? {
    if let failure { throw failure }
    do {
      switch state {
      case .waiting: return try header()
      case .counted(let missingByteCount): return counted(missingByteCount)
      case .marked(let mark): return marked(mark)
      case .over: return nil
      }
    } catch {
      failure = error
      pending = []
      throw error
    }
  }
}

extension DumpDecoder {
  private mutating func header() throws(RESPError) -> Event? {
    guard let first = pending.first else { return nil }
    switch first {
    case UInt8(ascii: "\n"):
      let count = pending.firstIndex { $0 != UInt8(ascii: "\n") } ?? pending.count
      take(count)
      return .waiting
    case UInt8(ascii: "-"):
      guard let line = try takeLine() else { return nil }
      end()
      return .refused(RedisServerError(line: line))
    case UInt8(ascii: "$"):
      let start = byteOffset
      guard let line = try takeLine() else { return nil }
      return .began(byteCount: try begin(line, start: start))
    default:
      throw RESPError(.unknownType(first), byteOffset: byteOffset)
    }
  }

  /// Reads the framing, and returns the length of the dump where that is it.
  private mutating func begin(
    _ line: ArraySlice<UInt8>, start: UInt64
  ) throws(RESPError) -> UInt64? {
    let markName = Array("EOF:".utf8)
    if line.starts(with: markName) {
      guard let mark = EndMark(line.dropFirst(markName.count)) else {
        throw RESPError(.invalidMark, byteOffset: start)
      }
      state = .marked(mark)
      return nil
    }
    guard line.count <= 20, let length = Int64(String(decoding: line, as: UTF8.self)) else {
      throw RESPError(.invalidNumber, byteOffset: start)
    }
    guard length >= 0 else { throw RESPError(.negativeLength, byteOffset: start) }
    state = .counted(missingByteCount: UInt64(length))
    return UInt64(length)
  }

  private mutating func counted(_ missingByteCount: UInt64) -> Event? {
    guard missingByteCount > 0 else {
      end()
      return .ended
    }
    guard !pending.isEmpty else { return nil }
    let count = Int(min(missingByteCount, UInt64(pending.count)))
    state = .counted(missingByteCount: missingByteCount - UInt64(count))
    return .bytes(take(count))
  }

  private mutating func marked(_ mark: EndMark) -> Event? {
    let position = mark.firstPosition(in: pending)
    if position == 0 {
      end()
      return .ended
    }
    // The last bytes may be the beginning of the mark.
    let count = position ?? (pending.count - EndMark.byteCount + 1)
    return count > 0 ? .bytes(take(count)) : nil
  }

  /// Removes a line with its end; what is returned is without the first byte and the line end.
  private mutating func takeLine() throws(RESPError) -> ArraySlice<UInt8>? {
    guard let end = pending.prefix(Self.maximumLineByteCount).firstIndex(of: UInt8(ascii: "\r"))
    else {
      guard pending.count < Self.maximumLineByteCount else {
        throw RESPError(.lineTooLong, byteOffset: byteOffset)
      }
      return nil
    }
    guard end + 1 < pending.count else { return nil }
    guard pending[end + 1] == UInt8(ascii: "\n") else {
      throw RESPError(.missingLineEnd, byteOffset: byteOffset)
    }
    return take(end + 2)[1..<end]
  }

  @discardableResult
  private mutating func take(_ count: Int) -> [UInt8] {
    byteOffset += UInt64(count)
    guard count < pending.count else {
      defer { pending = [] }
      return pending
    }
    let taken = Array(pending[..<count])
    pending.removeSubrange(..<count)
    return taken
  }

  private mutating func end() {
    state = .over
    pending = []
  }
}

/// What a server puts behind a dump whose length it does not know beforehand: 40 random bytes, chosen
/// when the dump begins, so that nothing in it can have them.
private struct EndMark {
  static let byteCount = 40

  private let bytes: [UInt8]
  /// How far the search may move on where its window ends in that byte (Horspool's algorithm).
  private let steps: [UInt8]

  /// Nil when it has another length.
  init?(_ bytes: ArraySlice<UInt8>) {
    guard bytes.count == Self.byteCount else { return nil }
    self.bytes = Array(bytes)
    var steps = [UInt8](repeating: UInt8(Self.byteCount), count: 256)
    for (distance, byte) in zip((1..<Self.byteCount).reversed(), bytes) {
      steps[Int(byte)] = UInt8(distance)
    }
    self.steps = steps
  }

  /// Where the first whole mark begins.
  func firstPosition(in text: [UInt8]) -> Int? {
    guard let last = bytes.last else { return nil }
    var end = Self.byteCount - 1
    while end < text.count {
      let byte = text[end]
      if byte == last {
        let start = end - Self.byteCount + 1
        if text[start...end].elementsEqual(bytes) { return start }
      }
      end += Int(steps[Int(byte)])
    }
    return nil
  }
}
