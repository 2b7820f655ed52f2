/// The compressed bytes that have been read and not used yet.
struct CompressedInput {
  private let next: @Sendable () async throws -> [UInt8]?
  private var buffer: [UInt8] = []
  private var startIndex = 0
  private var isAtEnd = false
  /// How many bytes have been used.
  private(set) var byteOffset: UInt64 = 0

  init(next: @escaping @Sendable () async throws -> [UInt8]?) {
    self.next = next
  }

  /// What is here now.
  var bytes: ArraySlice<UInt8> { buffer[startIndex...] }

  /// Reads until at least `byteCount` bytes are here, or until the end.
  ///
  /// - Returns: Whether so many bytes are here.
  mutating func fill(_ byteCount: Int) async throws -> Bool {
    while bytes.count < byteCount, !isAtEnd {
      try Task.checkCancellation()
      guard let piece = try await next() else {
        isAtEnd = true
        break
      }
      if bytes.isEmpty {
        buffer = piece
      } else {
        buffer.removeFirst(startIndex)
        buffer += piece
      }
      startIndex = 0
    }
    return bytes.count >= byteCount
  }

  /// Uses up the first bytes of those that are here.
  mutating func drop(_ byteCount: Int) {
    startIndex += byteCount
    byteOffset += UInt64(byteCount)
  }

  /// Uses up so many bytes and returns them; nil, with none used up, when fewer are left. Copies each
  /// byte once.
  mutating func take(_ byteCount: Int) async throws -> [UInt8]? {
    var taken: [UInt8] = []
    taken.reserveCapacity(byteCount)
    repeat {
      let head = bytes.prefix(byteCount - taken.count)
      taken += head
      drop(head.count)
      if taken.count == byteCount { return taken }
    } while try await fill(1)
    putBack(taken)
    return nil
  }

  /// Puts bytes back that were the last ones taken.
  mutating func putBack(_ taken: [UInt8]) {
    buffer = taken + bytes
    startIndex = 0
    byteOffset -= UInt64(taken.count)
  }
}
