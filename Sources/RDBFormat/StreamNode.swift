/// Checks one listpack of a stream, and keeps what all listpacks of a stream say together.
///
/// A master entry (entry count, deleted count, field names) is followed by entries (flags, id as
/// differences from the master id, fields and values, number of listpack entries).
/// Source: the comment above `streamAppendItem` in `src/t_stream.c` of Redis 7.0.
struct StreamNode: Sendable {
  /// Ids that are kept for a stream; with 16 bytes each this is 16 MiB.
  static let keptIDLimit = 1 << 20

  /// Entries of the stream that are not deleted.
  private(set) var liveCount: UInt64 = 0
  /// The first and the last of them.
  private(set) var firstID: StreamID?
  private(set) var lastID: StreamID?
  /// Their ids in order, up to the limit.
  private(set) var liveIDs: [StreamID] = []

  private var masterID = StreamID(milliseconds: 0, sequence: 0)
  private var previousID: StreamID?
  private var phase = Phase.count
  private var claimedLive: Int64 = 0
  private var claimedDeleted: Int64 = 0
  private var live: Int64 = 0
  private var deleted: Int64 = 0
  private var masterFieldCount: Int64 = 0
  private var remaining: Int64 = 0
  private var flags: Int64 = 0
  private var milliseconds: UInt64 = 0
  private var entrySize: Int64 = 0

  private enum Phase {
    case count, deletedCount, masterFieldCount, masterFields, masterEnd
    case flags, milliseconds, sequence, fieldCount, fields, entrySize
  }

  private static let deletedFlag: Int64 = 1
  private static let sameFieldsFlag: Int64 = 2

  /// Starts another stream.
  mutating func beginStream() {
    liveCount = 0
    firstID = nil
    lastID = nil
    previousID = nil
    liveIDs.removeAll(keepingCapacity: false)
  }

  /// Starts another listpack of the stream.
  mutating func begin(masterID: StreamID) {
    self.masterID = masterID
    phase = .count
    live = 0
    deleted = 0
  }

  /// Whether `liveIDs` holds the ids of all entries.
  var keepsAllIDs: Bool { UInt64(liveIDs.count) == liveCount }

  /// Takes the next entry of the listpack, a text.
  @inline(__always)
  mutating func text() throws(RDBError.Kind) {
    guard phase == .fields || phase == .masterFields else {
      throw .malformed("a stream has text where a number must be")
    }
    field()
  }

  /// Takes the next entry of the listpack, an integer.
  @inline(__always)
  mutating func integer(_ value: Int64) throws(RDBError.Kind) {
    if phase == .fields || phase == .masterFields {
      field()
    } else {
      try number(value)
    }
  }

  private mutating func field() {
    remaining -= 1
    if remaining == 0 { phase = phase == .fields ? .entrySize : .masterEnd }
  }

  private mutating func number(_ value: Int64) throws(RDBError.Kind) {
    switch phase {
    case .count:
      guard value >= 0 else { throw .malformed("a stream node counts less than no entries") }
      claimedLive = value
      phase = .deletedCount
    case .deletedCount:
      guard value >= 0 else { throw .malformed("a stream node counts less than no deletions") }
      claimedDeleted = value
      phase = .masterFieldCount
    case .masterFieldCount:
      masterFieldCount = try checked(fieldCount: value)
      remaining = value
      phase = value == 0 ? .masterEnd : .masterFields
    case .masterEnd:
      guard value == 0 else { throw .malformed("the master entry of a stream node has no end") }
      phase = .flags
    case .flags, .milliseconds, .sequence, .fieldCount, .entrySize:
      try entry(value)
    case .fields, .masterFields:
      return
    }
  }

  private mutating func entry(_ value: Int64) throws(RDBError.Kind) {
    switch phase {
    case .flags:
      guard value & ~(StreamNode.deletedFlag | StreamNode.sameFieldsFlag) == 0 else {
        throw .malformed("a stream entry has unknown flags")
      }
      flags = value
      phase = .milliseconds
    case .milliseconds:
      milliseconds = masterID.milliseconds &+ UInt64(bitPattern: value)
      phase = .sequence
    case .sequence:
      try take(
        StreamID(
          milliseconds: milliseconds, sequence: masterID.sequence &+ UInt64(bitPattern: value)))
      if flags & StreamNode.sameFieldsFlag != 0 {
        beginFields(masterFieldCount, size: masterFieldCount + 3)
      } else {
        phase = .fieldCount
      }
    case .fieldCount:
      let count = try checked(fieldCount: value)
      beginFields(2 * count, size: 2 * count + 4)
    default:
      guard value == entrySize else {
        throw .malformed("a stream entry of \(entrySize) parts says \(value)")
      }
      phase = .flags
    }
  }

  private mutating func beginFields(_ count: Int64, size: Int64) {
    remaining = count
    entrySize = size
    phase = count == 0 ? .entrySize : .fields
  }

  private func checked(fieldCount: Int64) throws(RDBError.Kind) -> Int64 {
    guard fieldCount >= 0, fieldCount <= Int64(Int32.max) else {
      throw .malformed("a stream entry has \(fieldCount) fields")
    }
    return fieldCount
  }

  private mutating func take(_ id: StreamID) throws(RDBError.Kind) {
    guard id >= masterID, previousID.map({ $0 < id }) ?? true else {
      throw .malformed("the ids of a stream do not ascend")
    }
    previousID = id
    guard flags & StreamNode.deletedFlag == 0 else {
      deleted += 1
      return
    }
    live += 1
    if keepsAllIDs && liveIDs.count < StreamNode.keptIDLimit { liveIDs.append(id) }
    liveCount += 1
    if firstID == nil { firstID = id }
    lastID = id
  }

  /// Checks that the listpack is complete and its counts are right.
  func finish() throws(RDBError.Kind) {
    guard phase == .flags else { throw .malformed("a stream node ends within an entry") }
    guard live == claimedLive, deleted == claimedDeleted else {
      throw .malformed(
        "a stream node of \(live) entries and \(deleted) deleted ones says \(claimedLive) and "
          + "\(claimedDeleted)")
    }
  }
}
