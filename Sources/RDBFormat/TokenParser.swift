/// A push parser made of short tokens: whatever the split of its input, each token is seen whole.
///
/// Payloads of any length are not tokens; conformers count them down across calls.
protocol TokenParser: ~Copyable {
  /// The beginning of a token whose end has not come yet, and how far the input has gone.
  var carry: TokenCarry { get set }

  /// Takes tokens from `position` on, moving it behind each one, until the rest is too short.
  ///
  /// - Throws: The fault of the token at `position`.
  mutating func advance(_ bytes: Span<UInt8>, _ position: inout Int) throws(RDBError.Kind)
}

extension TokenParser where Self: ~Copyable {
  /// Takes the next bytes. After a fault, `carry.byteOffset` is where the faulty token begins.
  mutating func consume(_ bytes: Span<UInt8>) throws(RDBError.Kind) {
    var position = 0
    if carry.count > 0 {
      let carried = carry.count
      carry.append(bytes)
      let staged = carry
      var stagedPosition = 0
      try advance(staged, to: &stagedPosition)
      guard stagedPosition >= carried else {
        // No token is that long, so all of `bytes` is staged and the token is still not whole.
        carry.removeFirst(stagedPosition)
        return
      }
      position = stagedPosition - carried
      carry.removeAll()
      carry.byteOffset += UInt64(stagedPosition)
    }
    let start = position
    do throws(RDBError.Kind) {
      try advance(bytes, &position)
    } catch {
      carry.byteOffset += UInt64(position - start)
      throw error
    }
    carry.byteOffset += UInt64(position - start)
    if position < bytes.count { carry.append(bytes.extracting(position..<bytes.count)) }
  }

  private mutating func advance(
    _ staged: borrowing TokenCarry, to position: inout Int
  ) throws(RDBError.Kind) {
    do throws(RDBError.Kind) {
      try advance(staged.bytes.span.extracting(0..<staged.count), &position)
    } catch {
      carry.byteOffset += UInt64(position)
      throw error
    }
  }
}

/// At most 64 bytes that wait for the rest of their token.
struct TokenCarry: Sendable {
  static let capacity = 64

  private(set) var bytes = [64 of UInt8](repeating: 0)
  private(set) var count = 0
  /// How many bytes were taken before the carried ones.
  var byteOffset: UInt64 = 0

  /// Appends as many bytes as there is room for.
  mutating func append(_ more: Span<UInt8>) {
    for index in 0..<min(more.count, TokenCarry.capacity - count) {
      bytes[count] = more[index]
      count += 1
    }
  }

  mutating func removeFirst(_ removed: Int) {
    byteOffset += UInt64(removed)
    for index in removed..<count {
      bytes[index - removed] = bytes[index]
    }
    count -= removed
  }

  mutating func removeAll() {
    count = 0
  }

  /// Starts again with no bytes.
  mutating func reset() {
    count = 0
    byteOffset = 0
  }
}
