import CRC64

/// Keys of a file, in its order, that were not compared with those before them yet.
///
/// ``RDBInspector`` gives them to those who compare them on another thread; see ``RDBKeySet``.
public struct RDBKeys: Sendable {
  /// A key is kept up to this many bytes.
  static let keptByteCount = 64 << 10

  /// One key that was read to its end; it begins where the one before it ends.
  struct Entry: Sendable {
    /// Where its bytes end; a key that was cut has its length and checksum as the last ones.
    let end: UInt32
    let database: UInt32
    let byteOffset: UInt64
  }

  private(set) var entries: [Entry] = []
  /// The bytes of the keys one behind the other, the current one at the end, then room for more.
  private(set) var bytes = [UInt8](repeating: 0, count: smallestByteCount)
  /// How many more keys the file has announced.
  private(set) var announcedCount: UInt64 = 0

  private var current = 0..<0
  private var currentByteCount: UInt64 = 0
  private var tail = CRC64()

  private static let smallestByteCount = 4 << 10

  /// Starts with no keys.
  public init() {}

  /// Whether there are as many as are worth a comparison.
  var isFull: Bool { entries.count >= 128 || current.upperBound > 16 << 10 }

  /// Where the bytes of a key lie.
  @inline(__always)
  func range(at index: Int) -> Range<Int> {
    let start = index == 0 ? 0 : Int(entries[index - 1].end)
    return start..<max(start, Int(entries[index].end))
  }

  /// The current key, cut to 64 KiB.
  var key: [UInt8] { Array(bytes[current]) }

  /// The current key, cut to 256 bytes.
  var keyPrefix: [UInt8] { Array(bytes[current].prefix(256)) }

  /// Whether the current key is longer than what is kept of it.
  var isKeyCut: Bool { currentByteCount > UInt64(current.count) }

  /// Announces so many more keys.
  mutating func announce(_ count: UInt64) {
    announcedCount = max(announcedCount, announcedCount &+ count)
  }

  /// Starts the next key.
  @inline(__always)
  mutating func beginKey() {
    let start = entries.last.map { Int($0.end) } ?? 0
    current = start..<start
    currentByteCount = 0
  }

  /// Takes the next bytes of the key.
  @inline(__always)
  mutating func append(_ more: Span<UInt8>) {
    let kept = min(more.count, RDBKeys.keptByteCount - current.count)
    let end = current.upperBound
    if bytes.count - end < kept { grow(by: kept) }
    bytes.overwrite(from: end, with: more.extracting(0..<kept))
    current = current.lowerBound..<end + kept
    currentByteCount += UInt64(more.count)
    if kept < more.count { cut(more.extracting(kept..<more.count)) }
  }

  /// Ends the key.
  @inline(__always)
  mutating func endKey(database: UInt64, byteOffset: UInt64) {
    var end = current.upperBound
    if isKeyCut { end = appendIdentity() }
    entries.append(
      Entry(
        end: UInt32(truncatingIfNeeded: end),
        database: UInt32(truncatingIfNeeded: database), byteOffset: byteOffset))
  }

  /// Hands out all keys that have ended; the bytes of the last one stay too, since its value may go on.
  mutating func take() -> RDBKeys {
    let taken = self
    // As large as what they had to hold: they will have to hold as much again.
    bytes = [UInt8](repeating: 0, count: max(taken.bytes.count, RDBKeys.smallestByteCount))
    entries = []
    entries.reserveCapacity(taken.entries.count)
    bytes.overwrite(from: 0, with: taken.bytes.span.extracting(taken.current))
    restart()
    return taken
  }

  /// Forgets the keys that have ended, but not the bytes of the last one.
  mutating func removeAll() {
    var bytes: [UInt8] = []
    swap(&bytes, &self.bytes)
    for index in 0..<current.count {
      bytes[index] = bytes[current.lowerBound + index]
    }
    swap(&bytes, &self.bytes)
    entries.removeAll(keepingCapacity: true)
    restart()
  }

  private mutating func restart() {
    current = 0..<current.count
    announcedCount = 0
  }

  private mutating func cut(_ rest: Span<UInt8>) {
    if currentByteCount - UInt64(rest.count) <= UInt64(RDBKeys.keptByteCount) { tail = CRC64() }
    tail.update(rest)
  }

  // What tells it from other keys that begin with the same 64 KiB.
  private mutating func appendIdentity() -> Int {
    let end = current.upperBound
    if bytes.count - end < 16 { grow(by: 16) }
    let identity = [currentByteCount, tail.value]
    var room = bytes.mutableSpan
    room.storeLittleEndian64(identity[0], at: end)
    room.storeLittleEndian64(identity[1], at: end + 8)
    return end + 16
  }

  private mutating func grow(by byteCount: Int) {
    bytes.append(contentsOf: repeatElement(0, count: max(bytes.count, byteCount)))
  }
}
