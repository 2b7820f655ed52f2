/// One stream. Figures that the RDB version does not store are nil, and coded as null.
public struct StreamSummary: Codable, Sendable, Equatable {
  /// The database that holds it.
  public let database: UInt64
  /// Its key; coded as `key` when the bytes are UTF-8, otherwise as `key_base64`.
  public let key: [UInt8]
  /// Entries that are there.
  public let length: UInt64
  /// The id of the first entry that is there; nil when the stream is empty.
  public let firstID: StreamID?
  /// The id of the last entry that is there; nil when the stream is empty.
  public let lastID: StreamID?
  /// The highest id ever given.
  public let lastGeneratedID: StreamID
  /// The highest id ever deleted; nil before Redis 7.0.
  public let maxDeletedID: StreamID?
  /// Entries ever added; nil before Redis 7.0.
  public let entriesAdded: UInt64?
  /// Its consumer groups, in file order.
  public let groups: [GroupSummary]
  /// When the key expires, in Unix milliseconds; not coded, nil after decoding.
  public let expiresAt: Int64?

  /// Stores all members.
  public init(
    database: UInt64, key: [UInt8], length: UInt64, firstID: StreamID?, lastID: StreamID?,
    lastGeneratedID: StreamID, maxDeletedID: StreamID?, entriesAdded: UInt64?,
    groups: [GroupSummary], expiresAt: Int64? = nil
  ) {
    self.database = database
    self.key = key
    self.length = length
    self.firstID = firstID
    self.lastID = lastID
    self.lastGeneratedID = lastGeneratedID
    self.maxDeletedID = maxDeletedID
    self.entriesAdded = entriesAdded
    self.groups = groups
    self.expiresAt = expiresAt
  }

  /// Decodes all coded members.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      database: try container.decode(UInt64.self, forKey: .database),
      key: try container.decodeBytes(text: .key, base64: .keyBase64),
      length: try container.decode(UInt64.self, forKey: .length),
      firstID: try container.decodeIfPresent(StreamID.self, forKey: .firstID),
      lastID: try container.decodeIfPresent(StreamID.self, forKey: .lastID),
      lastGeneratedID: try container.decode(StreamID.self, forKey: .lastGeneratedID),
      maxDeletedID: try container.decodeIfPresent(StreamID.self, forKey: .maxDeletedID),
      entriesAdded: try container.decodeIfPresent(UInt64.self, forKey: .entriesAdded),
      groups: try container.decode([GroupSummary].self, forKey: .groups))
  }

  /// Encodes all coded members, unknown figures as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(database, forKey: .database)
    try container.encodeBytes(key, text: .key, base64: .keyBase64)
    try container.encode(length, forKey: .length)
    try container.encode(firstID, forKey: .firstID)
    try container.encode(lastID, forKey: .lastID)
    try container.encode(lastGeneratedID, forKey: .lastGeneratedID)
    try container.encode(maxDeletedID, forKey: .maxDeletedID)
    try container.encode(entriesAdded, forKey: .entriesAdded)
    try container.encode(groups, forKey: .groups)
  }

  private enum CodingKeys: String, CodingKey {
    case database, key, length, groups
    case keyBase64 = "key_base64"
    case firstID = "first_id"
    case lastID = "last_id"
    case lastGeneratedID = "last_generated_id"
    case maxDeletedID = "max_deleted_id"
    case entriesAdded = "entries_added"
  }
}
