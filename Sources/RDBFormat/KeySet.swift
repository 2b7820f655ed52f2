/// Finds a key that comes twice in a database, by 64-bit hashes in at most 16 MiB.
///
/// The hash is seeded at random, so no chosen keys can make it see a repetition that is none; by
/// chance it does so once in 35 million files of a million keys.
///
/// Keys are compared in batches: each is somewhere else in memory, and one batch waits for all of
/// them at once.
struct KeySet: Sendable {
  /// A key that was there before.
  struct Repetition: Sendable {
    let byteOffset: UInt64
    let database: UInt64
    /// The key, cut to 256 bytes.
    let key: [UInt8]
  }

  /// Keys that are remembered.
  static let limit = 1 << 21 - 1 << 18

  private static let largestSlotCount = 1 << 21
  private static let batchCount = 64
  private static let keptKeyByteCount = 256

  /// Whether every key so far was compared with all before it.
  private(set) var isComplete = true

  private var slots: [UInt64]
  private var count = 0
  private let seed: UInt64
  private var batch: [Waiting] = []
  private var batchKeys: [UInt8] = []
  private var touched: UInt64 = 0

  private struct Waiting: Sendable {
    let hash: UInt64
    let byteOffset: UInt64
    let database: UInt64
    let keyStart: Int
  }

  init() {
    slots = [UInt64](repeating: 0, count: 1 << 12)
    seed = UInt64.random(in: .min ... .max)
    batch.reserveCapacity(KeySet.batchCount)
  }

  /// Makes room for so many more keys, if that is not too many.
  mutating func reserve(_ more: UInt64) {
    let wanted = count + Int(min(more, UInt64(KeySet.limit)))
    var slotCount = slots.count
    while slotCount < 2 * wanted && slotCount < KeySet.largestSlotCount { slotCount *= 2 }
    if slotCount > slots.count { grow(to: slotCount) }
  }

  /// Remembers a key; `tail` stands for bytes behind those given.
  ///
  /// - Returns: The first repetition in the batch that this key completes.
  @inline(__always)
  mutating func insert(
    _ key: [UInt8], tail: UInt64, database: UInt64, byteOffset: UInt64
  ) -> Repetition? {
    batch.append(
      Waiting(
        hash: hash(key.span, database: database, tail: tail), byteOffset: byteOffset,
        database: database, keyStart: batchKeys.count))
    for index in 0..<min(key.count, KeySet.keptKeyByteCount) {
      batchKeys.append(key[index])
    }
    return batch.count < KeySet.batchCount ? nil : flush()
  }

  /// Compares the keys that still wait.
  mutating func flush() -> Repetition? {
    for waiting in batch {
      touched ^= slots[Int(truncatingIfNeeded: waiting.hash) & (slots.count - 1)]
    }
    defer {
      batch.removeAll(keepingCapacity: true)
      batchKeys.removeAll(keepingCapacity: true)
    }
    for (index, waiting) in batch.enumerated() where !insert(waiting.hash) {
      let end = index + 1 < batch.count ? batch[index + 1].keyStart : batchKeys.count
      return Repetition(
        byteOffset: waiting.byteOffset, database: waiting.database,
        key: Array(batchKeys[waiting.keyStart..<end]))
    }
    return nil
  }

  private func hash(_ key: Span<UInt8>, database: UInt64, tail: UInt64) -> UInt64 {
    var state = KeySet.mix(seed ^ database, UInt64(key.count) ^ tail &* 0x9e37_79b9_7f4a_7c15)
    var index = 0
    while key.count - index >= 8 {
      state = KeySet.mix(state ^ key.littleEndian64(at: index), 0xa076_1d64_78bd_642f)
      index += 8
    }
    var last: UInt64 = 0
    while index < key.count {
      last = last << 8 | UInt64(key[index])
      index += 1
    }
    state = KeySet.mix(state ^ last, 0xe703_7ed1_a0b4_28db)
    return max(KeySet.mix(state, seed ^ 0x8ebc_6af0_9c88_c6e3), 1)
  }

  // Whether the hash is new; above the limit always true.
  private mutating func insert(_ hash: UInt64) -> Bool {
    let mask = slots.count - 1
    var index = Int(truncatingIfNeeded: hash) & mask
    while slots[index] != 0 {
      if slots[index] == hash { return false }
      index = (index + 1) & mask
    }
    guard count < KeySet.limit else {
      isComplete = false
      return true
    }
    slots[index] = hash
    count += 1
    if count > slots.count / 2 && slots.count < KeySet.largestSlotCount { grow(to: 2 * slots.count) }
    return true
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
