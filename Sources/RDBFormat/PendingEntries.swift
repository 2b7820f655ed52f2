/// The pending entries of one consumer group: each must belong to exactly one consumer.
///
/// Above the limit nothing is kept, and only the counts are compared.
struct PendingEntries: Sendable {
  /// Ids that are kept; with 16 bytes each this is 16 MiB.
  static let keptIDLimit: UInt64 = 1 << 20

  /// Whether the ids are kept, so that all can be told about them.
  private(set) var isExact = true
  /// How many the group says it has.
  private(set) var count: UInt64 = 0
  /// The first entries with all that is known of them; none where the ids are not kept, or not in order.
  private(set) var entries: [PendingEntry] = []

  private var ids: [StreamID] = []
  private var isSorted = true
  private var owners: [UInt64] = []
  private var ownedCount: UInt64 = 0
  private var cursor = 0
  private var entryLimit = 0

  /// Starts another group.
  ///
  /// - Parameter entryLimit: How many entries may be kept with all that is known of them.
  mutating func begin(count: UInt64, entryLimit: Int) {
    self.count = count
    isExact = count <= PendingEntries.keptIDLimit
    entries.removeAll(keepingCapacity: false)
    self.entryLimit = isExact ? entryLimit : 0
    ids.removeAll(keepingCapacity: false)
    isSorted = true
    owners.removeAll(keepingCapacity: false)
    ownedCount = 0
    cursor = 0
  }

  /// Whether the next entry is wanted with all that is known of it.
  var wantsEntry: Bool { entries.count < entryLimit }

  /// Takes the next id of the group.
  mutating func add(_ id: StreamID) {
    guard isExact else { return }
    if let last = ids.last, last >= id { isSorted = false }
    ids.append(id)
  }

  /// Takes what is known of the entry whose id was added last.
  mutating func add(_ entry: PendingEntry) {
    entries.append(entry)
  }

  /// Ends the ids of the group.
  mutating func seal() throws(RDBError.Kind) {
    if !isSorted {
      entries = []
      ids.sort()
      for index in ids.indices.dropFirst() where ids[index] == ids[index - 1] {
        throw .malformed("a consumer group has a pending entry twice")
      }
    }
    owners = [UInt64](repeating: 0, count: (ids.count + 63) / 64)
  }

  /// Gives an id of the group to a consumer, nil for none.
  mutating func own(_ id: StreamID, by consumer: [UInt8]?) throws(RDBError.Kind) {
    ownedCount += 1
    guard isExact else { return }
    // Consumers list their ids in order, so the next one is often right behind the last.
    let isAhead = cursor < ids.count && ids[cursor] <= id
    let index = position(of: id, in: ids, from: isAhead ? cursor : 0)
    guard index < ids.count, ids[index] == id else {
      throw .malformed("a consumer has a pending entry that its group lacks")
    }
    cursor = index
    guard owners[index / 64] >> UInt64(index % 64) & 1 == 0 else {
      throw .malformed("a pending entry belongs to two consumers")
    }
    owners[index / 64] |= 1 << UInt64(index % 64)
    if index < entries.count { entries[index].consumer = consumer }
  }

  /// Checks that every pending entry has got a consumer.
  func finish() throws(RDBError.Kind) {
    guard ownedCount == count else {
      throw .malformed("of \(count) pending entries \(ownedCount) have a consumer")
    }
  }

  /// Pending ids that are not among `live`, which ascends.
  func dangling(among live: [StreamID]) -> UInt64 {
    var missing: UInt64 = 0
    var start = 0
    for id in ids {
      start = position(of: id, in: live, from: start)
      if start == live.count || live[start] != id { missing += 1 }
    }
    return missing
  }

  // The first index from `start` on whose id is not before `id`; quick when it is near `start`.
  private func position(of id: StreamID, in sorted: [StreamID], from start: Int) -> Int {
    var step = 1
    var low = start
    var high = start
    while high < sorted.count && sorted[high] < id {
      low = high + 1
      high += step
      step *= 2
    }
    high = min(high, sorted.count)
    while low < high {
      let middle = low + (high - low) / 2
      if sorted[middle] < id { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
