/// Counts what goes by, in bounded memory.
struct Facts: Sendable {
  static let streamLimit = 1_000
  static let databaseLimit = 1 << 14
  static let memberLimit = 100_000
  static let nameByteLimit = 8 << 20
  static let emptyValueLimit = 100
  static let moduleLimit = 256
  static let largestKeyLimit = 20
  static let auxLimit = 64

  /// A mutable ``DatabaseSummary``.
  struct Database: Sendable {
    let index: UInt64
    var keys: UInt64 = 0
    var expires: UInt64 = 0
    var expiredKeys: UInt64 = 0
    var fieldExpiringHashes: UInt64 = 0

    @inline(__always)
    fileprivate mutating func count(
      expiresAt: Int64?, referenceTime: Int64, hasExpiringFields: Bool
    ) {
      keys += 1
      if hasExpiringFields { fieldExpiringHashes += 1 }
      guard let expiresAt else { return }
      expires += 1
      if expiresAt <= referenceTime { expiredKeys += 1 }
    }
  }

  private(set) var databases: [Database] = []
  private(set) var keys: UInt64 = 0
  private(set) var expires: UInt64 = 0
  private(set) var types = TypeCounts()
  var functions: UInt64 = 0
  private(set) var streamsTotal: UInt64 = 0
  private(set) var streams: [StreamSummary] = []
  private(set) var moduleNames: Set<String> = []
  private(set) var findings: [RDBFinding] = []
  /// Collections without elements.
  private(set) var emptyValues: UInt64 = 0
  private(set) var aux: [String: String] = [:]
  private(set) var largestKeys: [LargestKey] = []
  /// A key with fewer bytes than this is not among the largest.
  private(set) var largestKeyThreshold: UInt64 = 0

  private var positions: [UInt64: Int] = [:]
  private var cutLists: Set<String> = []
  private var members = 0
  private var pendingEntries = 0
  private var nameBytes = 0

  /// The position of a database in `databases`; nil when there are too many.
  mutating func position(ofDatabase index: UInt64) -> Int? {
    if let position = positions[index] { return position }
    guard databases.count < Facts.databaseLimit else { return nil }
    positions[index] = databases.count
    databases.append(Database(index: index))
    return databases.count - 1
  }

  /// Counts a key.
  mutating func count(
    _ type: ValueType, databaseAt position: Int?, expiresAt: Int64?, referenceTime: Int64,
    hasExpiringFields: Bool
  ) {
    keys += 1
    types[type] += 1
    if expiresAt != nil { expires += 1 }
    guard let position else { return }
    databases[position].count(
      expiresAt: expiresAt, referenceTime: referenceTime, hasExpiringFields: hasExpiringFields)
  }

  /// Remembers a key if it is among the largest.
  mutating func consider(_ key: LargestKey) {
    let index = largestKeys.firstIndex { $0.bytes < key.bytes } ?? largestKeys.count
    largestKeys.insert(key, at: index)
    guard largestKeys.count >= Facts.largestKeyLimit else { return }
    if largestKeys.count > Facts.largestKeyLimit { largestKeys.removeLast() }
    // Of equally large keys the first ones stay.
    largestKeyThreshold = (largestKeys.last?.bytes ?? 0) + 1
  }

  /// Counts a stream, and keeps it if there is room.
  mutating func add(stream: StreamSummary?) {
    streamsTotal += 1
    if let stream, streams.count < Facts.streamLimit { streams.append(stream) }
  }

  /// Whether a stream that comes now can be kept.
  var keepsStream: Bool { streams.count < Facts.streamLimit }

  /// Whether one more group or consumer, with a name of `byteCount` bytes, can be kept.
  mutating func reserveMember(nameByteCount: Int) -> Bool {
    guard members < Facts.memberLimit, nameBytes + nameByteCount <= Facts.nameByteLimit else {
      return false
    }
    members += 1
    nameBytes += nameByteCount
    return true
  }

  /// How many of so many pending entries can be kept.
  mutating func reservePending(count: UInt64) -> Int {
    let kept = min(Int(clamping: count), PendingEntry.limit - pendingEntries)
    pendingEntries += kept
    return kept
  }

  mutating func add(module name: String) {
    if moduleNames.count < Facts.moduleLimit { moduleNames.insert(name) }
  }

  mutating func addAux(name: String, value: String) {
    if aux.count < Facts.auxLimit && aux[name] == nil { aux[name] = value }
  }

  /// Adds a finding of a kind that a file has once, or a few times.
  mutating func add(_ finding: RDBFinding) {
    findings.append(finding)
  }

  /// Adds a finding that a file may have any number of times.
  mutating func add(emptyValue finding: RDBFinding) {
    emptyValues += 1
    if emptyValues <= Facts.emptyValueLimit { findings.append(finding) }
  }

  /// Adds a finding unless one with the same text is there.
  mutating func addOnce(_ finding: RDBFinding) {
    if cutLists.insert(finding.message).inserted { add(finding) }
  }

  var content: RDBContent {
    RDBContent(
      keys: keys, expires: expires,
      databases: databases.filter { $0.keys > 0 }.sorted { $0.index < $1.index }.map {
        DatabaseSummary(
          index: $0.index, keys: $0.keys, expires: $0.expires, expiredKeys: $0.expiredKeys,
          fieldExpiringHashes: $0.fieldExpiringHashes)
      },
      types: types, functions: functions, streamsTotal: streamsTotal, streams: streams)
  }
}
