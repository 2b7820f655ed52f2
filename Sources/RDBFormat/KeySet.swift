import CRC64

/// Finds a key that comes twice in a database, by 64-bit hashes in at most 16 MiB.
///
/// The hash is seeded at random, so no chosen keys can make it see a repetition that is none; by
/// chance it does so once in 35 million files of a million keys.
///
/// Keys are compared in batches: each is somewhere else in memory, and one batch waits for all of
/// them at once. Until then their bytes lie in one buffer, the current key behind the others.
struct KeySet: Sendable {
  /// A key that was there before.
  struct Repetition: Sendable {
    let byteOffset: UInt64
    let database: UInt64
    /// The key, cut to 256 bytes.
    let key: [UInt8]
  }

  /// A key is kept up to this many bytes.
  static let keptByteCount = 64 << 10
  /// Keys that are remembered.
  static let limit = 1 << 21 - 1 << 18

  private static let largestSlotCount = 1 << 21
  private static let batchByteCount = 16 << 10

  /// Whether every key so far was compared with all before it.
  private(set) var isComplete = true

  private var slots: [UInt64]
  private var count = 0
  private let seed: UInt64
  private var batch = [128 of Waiting](repeating: Waiting())
  private var waitingCount = 0
  private var touched: UInt64 = 0
  private var buffer = [UInt8](repeating: 0, count: batchByteCount + keptByteCount)
  private var current = 0..<0
  private var currentByteCount: UInt64 = 0
  private var tail = CRC64()

  private struct Waiting: Sendable {
    var hash: UInt64 = 0
    var byteOffset: UInt64 = 0
    var database: UInt64 = 0
    var key = 0..<0
  }

  init() {
    slots = [UInt64](repeating: 0, count: 1 << 12)
    seed = UInt64.random(in: .min ... .max)
  }

  /// Makes room for so many more keys, if that is not too many.
  mutating func reserve(_ more: UInt64) {
    let wanted = count + Int(min(more, UInt64(KeySet.limit)))
    var slotCount = slots.count
    while slotCount < 2 * wanted && slotCount < KeySet.largestSlotCount { slotCount *= 2 }
    if slotCount > slots.count { grow(to: slotCount) }
  }

  /// The current key, cut to 64 KiB.
  var key: [UInt8] { Array(buffer[current]) }

  /// The current key, cut to 256 bytes.
  var keyPrefix: [UInt8] { Array(buffer[current].prefix(256)) }

  /// Whether the current key is longer than what is kept of it.
  var isKeyCut: Bool { currentByteCount > UInt64(current.count) }

  /// Starts the next key.
  ///
  /// - Returns: The first repetition among the keys before it that were not compared yet.
  @inline(__always)
  mutating func beginKey() -> Repetition? {
    var repetition: Repetition?
    if waitingCount == batch.count || current.upperBound > KeySet.batchByteCount {
      repetition = flush()
      current = 0..<0
    }
    current = current.upperBound..<current.upperBound
    currentByteCount = 0
    return repetition
  }

  /// Takes the next bytes of the key.
  @inline(__always)
  mutating func append(_ bytes: Span<UInt8>) {
    let kept = min(bytes.count, KeySet.keptByteCount - current.count)
    let end = current.upperBound
    buffer.overwrite(from: end, with: bytes.extracting(0..<kept))
    current = current.lowerBound..<end + kept
    if kept < bytes.count {
      if currentByteCount <= UInt64(KeySet.keptByteCount) { tail = CRC64() }
      tail.update(bytes.extracting(kept..<bytes.count))
    }
    currentByteCount += UInt64(bytes.count)
  }

  /// Ends the key.
  @inline(__always)
  mutating func endKey(database: UInt64, byteOffset: UInt64) {
    batch[waitingCount] = Waiting(
      hash: hash(database: database), byteOffset: byteOffset, database: database, key: current)
    waitingCount += 1
  }

  /// Compares the keys that still wait.
  mutating func flush() -> Repetition? {
    if 2 * (count + waitingCount) > slots.count && slots.count < KeySet.largestSlotCount {
      grow(to: 2 * slots.count)
    }
    let mask = slots.count - 1
    for position in 0..<waitingCount {
      touched ^= slots[Int(truncatingIfNeeded: batch[position].hash) & mask]
    }
    defer { waitingCount = 0 }
    guard let index = firstRepeated() else { return nil }
    let waiting = batch[index]
    return Repetition(
      byteOffset: waiting.byteOffset, database: waiting.database,
      key: Array(buffer[waiting.key].prefix(256)))
  }

  // Remembers the batch, as far as the limit goes, up to the first key that was there before.
  private mutating func firstRepeated() -> Int? {
    // Taken out for a moment, for one check of all accesses that nobody else has it.
    var slots: [UInt64] = []
    swap(&slots, &self.slots)
    defer { swap(&slots, &self.slots) }
    var table = slots.mutableSpan
    let mask = table.count - 1
    for position in 0..<waitingCount {
      let hash = batch[position].hash
      var index = Int(truncatingIfNeeded: hash) & mask
      while table[index] != 0 {
        if table[index] == hash { return position }
        index = (index + 1) & mask
      }
      if count < KeySet.limit {
        table[index] = hash
        count += 1
      } else {
        isComplete = false
      }
    }
    return nil
  }

  // The last bytes overlap those before them, so that no word reaches beyond the key, and each is
  // read as it was written.
  @inline(__always)
  private func hash(database: UInt64) -> UInt64 {
    let bytes = buffer.span.extracting(current)
    let rest = isKeyCut ? tail.value : 0
    var state = KeySet.mix(seed ^ database, currentByteCount ^ rest &* 0x9e37_79b9_7f4a_7c15)
    var index = 0
    while bytes.count - index > 8 {
      state = KeySet.mix(state ^ bytes.littleEndian64(at: index), 0xa076_1d64_78bd_642f)
      index += 8
    }
    state = KeySet.mix(state ^ KeySet.lastWord(of: bytes), 0xe703_7ed1_a0b4_28db)
    return max(KeySet.mix(state, seed ^ 0x8ebc_6af0_9c88_c6e3), 1)
  }

  @inline(__always)
  private static func lastWord(of bytes: Span<UInt8>) -> UInt64 {
    if bytes.count >= 8 { return bytes.littleEndian64(at: bytes.count - 8) }
    var word: UInt64 = 0
    for index in 0..<bytes.count {
      word = word << 8 | UInt64(bytes[index])
    }
    return word
  }

  private mutating func grow(to slotCount: Int) {
    var larger = [UInt64](repeating: 0, count: slotCount)
    for entry in slots where entry != 0 {
      var index = Int(truncatingIfNeeded: entry) & (larger.count - 1)
      while larger[index] != 0 {
        index = (index + 1) & (larger.count - 1)
      }
      larger[index] = entry
    }
    slots = larger
  }

  @inline(__always)
  private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
