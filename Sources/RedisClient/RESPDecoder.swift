/// Turns the bytes of a server into replies, in any split, without I/O.
///
/// Push the bytes that arrived, then take values until there is none:
///
/// ```swift
/// decoder.push(bytes)
/// while let value = try decoder.next() { … }
/// ```
///
/// Memory: what was pushed and not yet taken, and of the reply in progress at most 64 MiB of strings
/// and a million elements. A length that the server announces reserves nothing.
public struct RESPDecoder: Sendable {
  private let maximumBulkByteCount: Int
  private var pending: [UInt8] = []
  /// The bytes of `pending` that are done with.
  private var cursor = 0
  /// The bytes after `cursor` that are known to hold no line end.
  private var searchedByteCount = 0
  /// How many bytes of the stream are done with.
  private(set) var byteOffset: UInt64 = 0
  private var openArrays: [OpenArray] = []
  private var bulk: Bulk?
  private var keptByteCount = 0
  private var elementCount = 0
  private var failure: RESPError?

  /// Makes a decoder at the start of a stream.
  ///
  /// - Parameter maximumBulkByteCount: A longer bulk string is read past and becomes
  ///   ``RESPValue/elided(byteCount:)``, as does one with which the reply would exceed 64 MiB.
  public init(maximumBulkByteCount: Int = 16 << 20) {
    self.maximumBulkByteCount = min(max(maximumBulkByteCount, 0), Limit.keptByteCount)
  }

  /// Takes the next bytes of the stream.
  ///
  /// - Parameter bytes: Any number of bytes, zero included.
  public mutating func push(_ bytes: some Sequence<UInt8>) {
    if cursor == pending.count {
      pending.removeAll(keepingCapacity: true)
      cursor = 0
    } else if cursor > Limit.lineByteCount {
      pending.removeSubrange(..<cursor)
      cursor = 0
    }
    pending.append(contentsOf: bytes)
  }

  /// The next whole reply, or nil when it has not arrived yet.
  ///
  /// - Throws: ``RESPError`` at the first element that cannot be one, and again at every later call.
  public mutating func next() throws(RESPError) -> RESPValue? {
    if let failure { throw failure }
    do {
      while let step = try element() {
        guard case .value(let value) = step else { continue }
        if let reply = close(value) {
          keptByteCount = 0
          elementCount = 0
          return reply
        }
      }
      return nil
    } catch {
      failure = error
      pending = []
      cursor = 0
      openArrays = []
      bulk = nil
      throw error
    }
  }
}

extension RESPDecoder {
  private enum Limit {
    static let lineByteCount = 64 << 10
    static let depth = 16
    static let elementCount: Int64 = 1_000_000
    static let keptByteCount = 64 << 20
  }

  private struct OpenArray {
    var missingCount: Int64
    var elements: [RESPValue] = []
  }

  private struct Bulk {
    let byteCount: UInt64
    var missingByteCount: UInt64
    /// Nil where the string is read past.
    var bytes: [UInt8]?
  }

  private enum Step {
    case opened
    case value(RESPValue)
  }

  /// Reads one header with its string; nil when bytes are missing.
  private mutating func element() throws(RESPError) -> Step? {
    if bulk != nil { return try bulkElement() }
    let start = byteOffset
    guard cursor < pending.count else { return nil }
    let type = pending[cursor]
    guard Self.types.contains(type) else { throw RESPError(.unknownType(type), byteOffset: start) }
    guard let line = try takeLine() else { return nil }
    switch type {
    case UInt8(ascii: "+"):
      try keep(line.count, start: start)
      return .value(.simple(String(decoding: pending[line], as: UTF8.self)))
    case UInt8(ascii: "-"):
      try keep(line.count, start: start)
      return .value(.error(RedisServerError(line: pending[line])))
    case UInt8(ascii: ":"):
      return .value(.integer(try number(line, start: start)))
    case UInt8(ascii: "$"):
      guard let length = try length(line, start: start) else { return .value(.null) }
      beginBulk(length)
      return try bulkElement()
    default:
      guard let count = try length(line, start: start) else { return .value(.null) }
      return try beginArray(count, start: start)
    }
  }

  private static let types = Array("+-:$*".utf8)

  /// Adds a value to the innermost open array, and closes all that are full.
  private mutating func close(_ value: RESPValue) -> RESPValue? {
    var value = value
    while var innermost = openArrays.popLast() {
      innermost.elements.append(value)
      innermost.missingCount -= 1
      guard innermost.missingCount == 0 else {
        openArrays.append(innermost)
        return nil
      }
      value = .array(innermost.elements)
    }
    return value
  }

  /// Moves past a line with its end; the range is without the type byte and the line end.
  private mutating func takeLine() throws(RESPError) -> Range<Int>? {
    let unsearched = pending[(cursor + searchedByteCount)...]
    guard let end = unsearched.firstIndex(of: UInt8(ascii: "\r")), end + 1 < pending.count else {
      // A carriage return at the very end is looked at again when the next byte is there.
      searchedByteCount = pending.count - cursor - (pending.last == UInt8(ascii: "\r") ? 1 : 0)
      guard searchedByteCount <= Limit.lineByteCount else {
        throw RESPError(.lineTooLong, byteOffset: byteOffset)
      }
      return nil
    }
    guard end - cursor <= Limit.lineByteCount else {
      throw RESPError(.lineTooLong, byteOffset: byteOffset)
    }
    guard pending[end + 1] == UInt8(ascii: "\n") else {
      throw RESPError(.missingLineEnd, byteOffset: byteOffset)
    }
    let line = cursor + 1..<end
    searchedByteCount = 0
    advance(by: end + 2 - cursor)
    return line
  }

  private mutating func beginArray(_ count: Int64, start: UInt64) throws(RESPError) -> Step {
    guard count > 0 else { return .value(.array([])) }
    guard openArrays.count < Limit.depth else {
      throw RESPError(.nestedTooDeep, byteOffset: start)
    }
    guard count <= Limit.elementCount - Int64(elementCount) else {
      throw RESPError(.tooManyElements, byteOffset: start)
    }
    elementCount += Int(count)
    openArrays.append(OpenArray(missingCount: count))
    return .opened
  }

  private mutating func beginBulk(_ length: Int64) {
    let fits =
      length <= Int64(maximumBulkByteCount)
      && length <= Int64(Limit.keptByteCount - keptByteCount)
    if fits { keptByteCount += Int(length) }
    let byteCount = UInt64(length)
    bulk = Bulk(byteCount: byteCount, missingByteCount: byteCount, bytes: fits ? [] : nil)
  }

  private mutating func bulkElement() throws(RESPError) -> Step? {
    guard var string = bulk else { return nil }
    let available = pending.count - cursor
    let takenCount = Int(min(string.missingByteCount, UInt64(available)))
    // Taken out while it grows: two owners would copy the whole string at every call.
    bulk = nil
    string.bytes?.append(contentsOf: pending[cursor..<cursor + takenCount])
    string.missingByteCount -= UInt64(takenCount)
    advance(by: takenCount)
    guard string.missingByteCount == 0, pending.count - cursor >= 2 else {
      bulk = string
      return nil
    }
    guard pending[cursor] == UInt8(ascii: "\r"), pending[cursor + 1] == UInt8(ascii: "\n") else {
      throw RESPError(.missingLineEnd, byteOffset: byteOffset)
    }
    advance(by: 2)
    return .value(string.bytes.map { .bulk($0) } ?? .elided(byteCount: string.byteCount))
  }

  private mutating func advance(by byteCount: Int) {
    cursor += byteCount
    byteOffset += UInt64(byteCount)
  }

  private mutating func keep(_ byteCount: Int, start: UInt64) throws(RESPError) {
    guard byteCount <= Limit.keptByteCount - keptByteCount else {
      throw RESPError(.replyTooLarge, byteOffset: start)
    }
    keptByteCount += byteCount
  }

  private func number(_ line: Range<Int>, start: UInt64) throws(RESPError) -> Int64 {
    guard line.count <= 20, let number = Int64(String(decoding: pending[line], as: UTF8.self))
    else { throw RESPError(.invalidNumber, byteOffset: start) }
    return number
  }

  /// A length, or nil for the `-1` of a null.
  private func length(_ line: Range<Int>, start: UInt64) throws(RESPError) -> Int64? {
    let number = try number(line, start: start)
    if number == -1 { return nil }
    guard number >= 0 else { throw RESPError(.negativeLength, byteOffset: start) }
    return number
  }
}
