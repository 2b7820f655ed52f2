/// What a check of the archives found: findings, with the figures that they rest on beside them.
public struct StatusReport: Sendable, Encodable {
  /// The figures of one Redis.
  public struct Source: Sendable {
    /// The Redis; nil where the archives do not say.
    public let source: String?
    /// Its verified archives, safety backups left out.
    public let verifiedArchives: Int
    /// The newest of them.
    public var newest: String?
    /// Its age.
    public var ageSeconds: Int?
    /// The age from which it is not fresh.
    public var maximumAgeSeconds = 0
    /// Its keys.
    public var keys: UInt64?
    /// The median of the keys of the ten before it.
    public var usualKeys: UInt64?
    /// The size of its dump.
    public var dumpBytes: UInt64?
    /// The median of the dumps before it.
    public var usualDumpBytes: UInt64?
    /// The size of its file.
    public var archiveBytes: UInt64?
    /// What the next three will take at the present trend.
    var nextThreeBytes = 0.0

    init(source: String?, verifiedArchives: Int) {
      self.source = source
      self.verifiedArchives = verifiedArchives
    }
  }

  /// All that was looked at, each Redis in turn.
  public internal(set) var findings: [StatusFinding] = []
  /// The figures of each Redis.
  public internal(set) var sources: [Source] = []
  /// The room in the file system of the directory; nil when the directory is missing.
  public internal(set) var freeBytes: UInt64?
  /// What the next three backups of all of them will take.
  public internal(set) var nextThreeBytes: UInt64 = 0

  /// The worst state of the findings.
  public var state: StatusFinding.State { findings.map(\.state).max() ?? .ok }

  private enum CodingKeys: String, CodingKey {
    case state, sources
    case schemaVersion = "schema_version"
    case freeBytes = "free_bytes"
    case nextThreeBytes = "next_three_bytes"
  }

  /// Writes all but the findings: their hints depend on where the run was meant to act.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(1, forKey: .schemaVersion)
    try container.encode(state, forKey: .state)
    try container.encode(sources, forKey: .sources)
    try container.encode(freeBytes, forKey: .freeBytes)
    try container.encode(nextThreeBytes, forKey: .nextThreeBytes)
  }
}

extension StatusReport.Source: Encodable {
  private enum CodingKeys: String, CodingKey {
    case source, newest, keys
    case verifiedArchives = "verified_archives"
    case ageSeconds = "age_seconds"
    case maximumAgeSeconds = "max_age_seconds"
    case usualKeys = "usual_keys"
    case dumpBytes = "rdb_bytes"
    case usualDumpBytes = "usual_rdb_bytes"
    case archiveBytes = "archive_bytes"
  }

  /// Writes the figures; `null` where one is not known.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(source, forKey: .source)
    try container.encode(verifiedArchives, forKey: .verifiedArchives)
    try container.encode(newest, forKey: .newest)
    try container.encode(ageSeconds, forKey: .ageSeconds)
    try container.encode(maximumAgeSeconds, forKey: .maximumAgeSeconds)
    try container.encode(keys, forKey: .keys)
    try container.encode(usualKeys, forKey: .usualKeys)
    try container.encode(dumpBytes, forKey: .dumpBytes)
    try container.encode(usualDumpBytes, forKey: .usualDumpBytes)
    try container.encode(archiveBytes, forKey: .archiveBytes)
  }
}
