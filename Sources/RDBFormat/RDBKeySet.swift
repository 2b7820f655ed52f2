/// Finds a key that comes twice in a database, by 64-bit hashes in at most 16 MiB, 12 bytes a key below that.
///
/// The hash is seeded at random, so no chosen keys can make it see a repetition that is none; by
/// chance it does so once in 35 million files of a million keys.
public struct RDBKeySet: Sendable {
  /// Keys that are remembered.
  static let limit = 1 << 21 - 1 << 18

  private static let largestSlotCount = 1 << 21
  private static let batchCount = 128

  /// The first key that was there before, as the fault that it is.
  public private(set) var fault: RDBError?
  /// Whether every key so far was compared with all before it.
  private(set) var isComplete = true

  private var slots = [UInt64](repeating: 0, count: 1 << 12)
  private var count = 0
  private let seed = UInt64.random(in: .min ... .max)
  private var hashes = [128 of UInt64](repeating: 0)
  private var touched: UInt64 = 0

  /// Starts with no keys.
  public init() {}

  /// Compares the next keys of a file with all before them, and remembers them.
  ///
  /// After the first repetition nothing more is looked at.
  public mutating func compare(_ keys: RDBKeys) {
    reserve(Int(min(keys.announcedCount, UInt64(RDBKeySet.limit))))
    var start = 0
    while fault == nil, start < keys.entries.count {
      let end = min(start + RDBKeySet.batchCount, keys.entries.count)
      compare(keys, start..<end)
      start = end
    }
  }

  // Each key is somewhere else in memory: all of a batch are waited for at once.
  private mutating func compare(_ keys: RDBKeys, _ batch: Range<Int>) {
    reserve(batch.count)
    // Taken out for a moment, for one check of all accesses that nobody else has it.
    var slots: [UInt64] = []
    swap(&slots, &self.slots)
    defer { swap(&slots, &self.slots) }
    var table = slots.mutableSpan
    let slotCount = table.count
    let (entries, bytes) = (keys.entries.span, keys.bytes.span)
    for index in 0..<batch.count {
      let range = keys.range(at: batch.lowerBound + index)
      hashes[index] = hash(
        bytes.extracting(range), database: entries[batch.lowerBound + index].database)
    }
    // A loop of its own and as short as can be, so that the processor is far ahead in it.
    var touched: UInt64 = 0
    for index in 0..<batch.count {
      touched ^= table[RDBKeySet.home(of: hashes[index], among: slotCount)]
    }
    self.touched = touched
    for index in 0..<batch.count {
      let hash = hashes[index]
      var slot = RDBKeySet.home(of: hash, among: slotCount)
      while table[slot] != 0, table[slot] != hash {
        slot = slot + 1 == slotCount ? 0 : slot + 1
      }
      if table[slot] == hash {
        let entry = entries[batch.lowerBound + index]
        let range = keys.range(at: batch.lowerBound + index)
        fault = RDBError(
          kind: .duplicateKey, byteOffset: entry.byteOffset, database: UInt64(entry.database),
          key: Array(keys.bytes[range].prefix(256)))
        return
      }
      if count < RDBKeySet.limit {
        table[slot] = hash
        count += 1
      } else {
        isComplete = false
      }
    }
  }

  // Makes room for so many more keys, if that is not too many.
  private mutating func reserve(_ more: Int) {
    // At most two of three are taken, until there are no more.
    let wanted = (count + more) / 2 * 3
    guard wanted > slots.count, slots.count < RDBKeySet.largestSlotCount else { return }
    grow(to: min(max(wanted, 2 * slots.count), RDBKeySet.largestSlotCount))
  }

  private mutating func grow(to slotCount: Int) {
    var larger = [UInt64].zeros(count: slotCount)
    for entry in slots where entry != 0 {
      var slot = RDBKeySet.home(of: entry, among: slotCount)
      while larger[slot] != 0 {
        slot = slot + 1 == slotCount ? 0 : slot + 1
      }
      larger[slot] = entry
    }
    slots = larger
  }

  // Where a hash belongs, for any number of slots.
  @inline(__always)
  private static func home(of hash: UInt64, among slotCount: Int) -> Int {
    Int(truncatingIfNeeded: hash.multipliedFullWidth(by: UInt64(slotCount)).high)
  }

  // The last bytes overlap those before them, so that no word reaches beyond the key, and each is
  // read as it was written.
  @inline(__always)
  private func hash(_ bytes: Span<UInt8>, database: UInt32) -> UInt64 {
    var state = RDBKeySet.mix(seed ^ UInt64(database), UInt64(bytes.count) ^ 0x9e37_79b9_7f4a_7c15)
    var index = 0
    while bytes.count - index > 8 {
      state = RDBKeySet.mix(state ^ bytes.littleEndian64(at: index), 0xa076_1d64_78bd_642f)
      index += 8
    }
    state = RDBKeySet.mix(state ^ RDBKeySet.lastWord(of: bytes), 0xe703_7ed1_a0b4_28db)
    return max(RDBKeySet.mix(state, seed ^ 0x8ebc_6af0_9c88_c6e3), 1)
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

  @inline(__always)
  private static func mix(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
