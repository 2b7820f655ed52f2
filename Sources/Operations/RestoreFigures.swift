import RDBFormat
import RedisClient
import Targets

/// The figures of a plan; those that nobody tells are nil.
public struct RestoreFigures: Sendable, Equatable, Encodable {
  /// A stream of the backup that has moved on since.
  public struct Stream: Sendable, Equatable, Encodable {
    /// Its database.
    public let database: UInt64
    /// Its key.
    public let key: [UInt8]
    /// Whether it is another stream of the same key by now.
    public let madeAnew: Bool
    /// Entries that were added since.
    public let entriesLost: UInt64?
    /// Entries that were delivered since, counted for each group.
    public let deliveredAgain: UInt64?

    enum CodingKeys: String, CodingKey {
      case database, key
      case keyBase64 = "key_base64"
      case madeAnew = "made_anew"
      case entriesLost = "entries_lost"
      case deliveredAgain = "delivered_again"
    }

    /// Encodes all members.
    public func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(database, forKey: .database)
      try container.encodeBytes(key, text: .key, base64: .keyBase64)
      try container.encode(madeAnew, forKey: .madeAnew)
      try container.encode(entriesLost, forKey: .entriesLost)
      try container.encode(deliveredAgain, forKey: .deliveredAgain)
    }
  }

  /// For how long writes will be refused: an estimate.
  public let writesRefusedSeconds: Double
  /// What must be free on the volume.
  public let diskNeededBytes: UInt64
  /// What is free there.
  public let diskFreeBytes: UInt64
  /// The memory that the server of the backup used when it was written.
  public let memoryNeededBytes: UInt64?
  /// The least of the `maxmemory` that the restarted server has and the limit of the container; nil for no
  /// limit.
  public let memoryLimitBytes: UInt64?
  /// The keys that are served now.
  public let keysNow: UInt64
  /// The keys of the backup.
  public let keysInBackup: UInt64
  /// Those of them whose time has passed.
  public let keysExpired: UInt64
  /// The connections of others.
  public let clients: Int?
  /// The streams that have moved on.
  public let streams: [Stream]

  enum CodingKeys: String, CodingKey {
    case clients, streams
    case writesRefusedSeconds = "writes_refused_seconds"
    case diskNeededBytes = "disk_needed_bytes"
    case diskFreeBytes = "disk_free_bytes"
    case memoryNeededBytes = "memory_needed_bytes"
    case memoryLimitBytes = "memory_limit_bytes"
    case keysNow = "keys_now"
    case keysInBackup = "keys_in_backup"
    case keysExpired = "keys_expired"
  }

  /// Encodes all members.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(writesRefusedSeconds, forKey: .writesRefusedSeconds)
    try container.encode(diskNeededBytes, forKey: .diskNeededBytes)
    try container.encode(diskFreeBytes, forKey: .diskFreeBytes)
    try container.encode(memoryNeededBytes, forKey: .memoryNeededBytes)
    try container.encode(memoryLimitBytes, forKey: .memoryLimitBytes)
    try container.encode(keysNow, forKey: .keysNow)
    try container.encode(keysInBackup, forKey: .keysInBackup)
    try container.encode(keysExpired, forKey: .keysExpired)
    try container.encode(clients, forKey: .clients)
    try container.encode(streams, forKey: .streams)
  }

  init(_ candidate: RestoreCandidate, _ facts: RestoreFacts, _ options: RestoreMachine.Options) {
    let content = candidate.summary.content
    writesRefusedSeconds = RestoreMachine.refusalSeconds(candidate.summary, facts, options)
    diskNeededBytes = RestoreMachine.neededByteCount(candidate.summary, facts, options)
    diskFreeBytes = facts.freeByteCount
    memoryNeededBytes = candidate.summary.aux["used-mem"].flatMap { UInt64($0) }
    let maxMemory = (facts.nextStart?.maxMemory ?? facts.status.maxMemory).flatMap {
      $0 > 0 ? UInt64($0) : nil
    }
    memoryLimitBytes = [maxMemory, facts.memoryLimitByteCount].compactMap(\.self).min()
    keysNow = facts.status.keyCount
    keysInBackup = content.keys
    keysExpired = content.databases.map(\.expiredKeys).reduce(0, +)
    clients = facts.present.clients?.count ?? facts.status.connectedClients.map { max($0 - 1, 0) }
    streams = zip(content.streams, facts.present.streams).compactMap { backup, now in
      guard let state = now.state else { return nil }
      let loss = StreamLoss(backup, state)
      let counts = backup.groups.map(loss.deliveredAgain)
      let again = counts.contains(nil) ? nil : counts.compactMap(\.self).reduce(0, +)
      guard loss.isMadeAnew || loss.entriesLost != 0 || again != 0 else { return nil }
      return Stream(
        database: backup.database, key: backup.key, madeAnew: loss.isMadeAnew,
        entriesLost: loss.entriesLost, deliveredAgain: again)
    }
  }
}

extension RestoreMachine {
  /// How long writes will be refused: a save and a copy of the present data, a restart, a load and a
  /// comparison, from sizes and rates that small machines reach.
  static func refusalSeconds(
    _ summary: RDBSummary, _ facts: RestoreFacts, _ options: Options
  ) -> Double {
    let present = Double(presentDumpByteCount(facts))
    let save = max(
      Double(facts.status.lastBackgroundSaveSeconds ?? 0), present / Rates.save)
    let secured =
      options.safetyBackup
      ? save + present / (facts.isInCluster ? Rates.copyFromPod : Rates.copy)
      : facts.settings.appendOnly ? 0 : save
    let restart =
      !facts.isInCluster
      ? Rates.restartSeconds
      : options.restart == .pod ? Rates.podRestartSeconds : Rates.containerRestartSeconds
    let streams = Double(summary.content.streams.count) * Rates.secondsPerStream
    return ((secured + restart + Double(summary.byteCount) / Rates.load + streams) * 10).rounded(
      .up)
      / 10
  }

  /// Bytes of a dump per second, and seconds.
  private enum Rates {
    static let save = 60e6
    static let copy = 60e6
    static let copyFromPod = 30e6
    static let load = 50e6
    static let restartSeconds = 0.5
    static let podRestartSeconds = 15.0
    static let containerRestartSeconds = 5.0
    static let secondsPerStream = 0.002
  }
}
