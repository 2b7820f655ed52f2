/// Decompresses one LZF string after another in bounded memory.
///
/// A match reaches back at most 8 KiB, so that much output is kept and the rest handed on.
/// Source: the format of liblzf 3.6 (`lzf_d.c`), as `src/lzf_d.c` of Redis 7.0 uses it.
struct LZFDecoder: Sendable {
  private static let windowByteCount = 8 << 10
  private static let bufferByteCount = 64 << 10
  private static let longestRun = 264

  /// Output; `freshRange` of it has not been handed on.
  var output: [UInt8] = []
  private(set) var freshRange = 0..<0

  private var keepsOutput = false
  private var claimedByteCount: UInt64 = 0
  private var byteCount: UInt64 = 0
  private var phase = Phase.control

  private enum Phase {
    case control
    case literal(Int)
    case length(high: Int)
    case offset(length: Int, high: Int)
  }

  /// Checks a whole compressed string that claims to have `claimed` bytes.
  ///
  /// - Returns: The same fault as decoding it.
  static func check(_ bytes: Span<UInt8>, byteCount claimed: UInt64) -> RDBError.Kind? {
    var position = 0
    var byteCount: UInt64 = 0
    while position < bytes.count {
      let control = Int(bytes[position])
      position += 1
      if control < 32 {
        byteCount += UInt64(control + 1)
        position += control + 1
      } else {
        var length = control >> 5 + 2
        if length == 9 {
          guard position < bytes.count else { return tooShort }
          length += Int(bytes[position])
          position += 1
        }
        guard position < bytes.count else { return tooShort }
        let distance = (control & 0x1f) << 8 + Int(bytes[position]) + 1
        guard UInt64(distance) <= byteCount else { return tooFar }
        byteCount += UInt64(length)
        position += 1
      }
      guard byteCount <= claimed else { return tooLong }
    }
    return position == bytes.count && byteCount == claimed ? nil : tooShort
  }

  /// Starts a string that claims to have `byteCount` bytes when decompressed.
  ///
  /// - Parameter keepsOutput: false when only the structure is to be checked.
  mutating func begin(byteCount claimed: UInt64, keepsOutput: Bool) {
    self.keepsOutput = keepsOutput
    if keepsOutput && output.isEmpty {
      output = [UInt8](
        repeating: 0, count: LZFDecoder.windowByteCount + LZFDecoder.bufferByteCount)
    }
    claimedByteCount = claimed
    byteCount = 0
    phase = .control
    freshRange = 0..<0
  }

  /// Takes compressed bytes from `position` on, until they end or the output must be handed on.
  ///
  /// - Returns: The fault at `position`, if there is one; the output before it is good.
  mutating func decode(_ bytes: Span<UInt8>, _ position: inout Int) -> RDBError.Kind? {
    while position < bytes.count, hasRoom {
      switch phase {
      case .control:
        let control = Int(bytes[position])
        position += 1
        if control < 32 {
          guard grow(by: control + 1) else { return LZFDecoder.tooLong }
          phase = .literal(control + 1)
        } else if control < 7 << 5 {
          phase = .offset(length: control >> 5 + 2, high: (control & 0x1f) << 8)
        } else {
          phase = .length(high: (control & 0x1f) << 8)
        }
      case .literal(let count):
        let taken = min(count, bytes.count - position)
        if keepsOutput { literal(bytes.extracting(position..<position + taken)) }
        position += taken
        phase = taken == count ? .control : .literal(count - taken)
      case .length(let high):
        phase = .offset(length: Int(bytes[position]) + 9, high: high)
        position += 1
      case .offset(let length, let high):
        let distance = high + Int(bytes[position]) + 1
        guard UInt64(distance) <= byteCount else {
          return LZFDecoder.tooFar
        }
        guard grow(by: length) else { return LZFDecoder.tooLong }
        if keepsOutput { match(byteCount: length, distance: distance) }
        position += 1
        phase = .control
      }
    }
    return nil
  }

  /// Frees the room of the output that has been handed on.
  mutating func drain(_ output: inout [UInt8]) {
    guard output.count - freshRange.upperBound < LZFDecoder.longestRun else {
      freshRange = freshRange.upperBound..<freshRange.upperBound
      return
    }
    let window = LZFDecoder.windowByteCount
    let start = freshRange.upperBound - window
    var buffer = output.mutableSpan
    for index in 0..<window {
      buffer[index] = buffer[start + index]
    }
    freshRange = window..<window
  }

  /// Checks that the string ended where it should.
  func finish() throws(RDBError.Kind) {
    guard case .control = phase, byteCount == claimedByteCount else {
      throw LZFDecoder.tooShort
    }
  }

  private var hasRoom: Bool {
    !keepsOutput || output.count - freshRange.upperBound >= LZFDecoder.longestRun
  }

  private mutating func literal(_ bytes: Span<UInt8>) {
    let end = freshRange.upperBound
    output.overwrite(from: end, with: bytes)
    freshRange = freshRange.lowerBound..<end + bytes.count
  }

  private mutating func match(byteCount length: Int, distance: Int) {
    let end = freshRange.upperBound
    var buffer = output.mutableSpan
    for index in end..<end + length {
      buffer[index] = buffer[index - distance]
    }
    freshRange = freshRange.lowerBound..<end + length
  }

  private mutating func grow(by count: Int) -> Bool {
    guard UInt64(count) <= claimedByteCount - byteCount else { return false }
    byteCount += UInt64(count)
    return true
  }

  private static var tooShort: RDBError.Kind {
    .malformed("a compressed string is shorter than it claims")
  }

  private static var tooFar: RDBError.Kind {
    .malformed("a compressed string refers to bytes before its beginning")
  }

  private static var tooLong: RDBError.Kind {
    .malformed("a compressed string is longer than it claims")
  }
}
