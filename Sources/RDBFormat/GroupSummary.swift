/// One consumer group of a stream.
public struct GroupSummary: Codable, Sendable, Equatable {
  /// Its name; coded as `name` when the bytes are UTF-8, otherwise as `name_base64`.
  public let name: [UInt8]
  /// The last id that the group was given.
  public let lastDeliveredID: StreamID
  /// Entries that the group has read; nil when the server does not know, or before Redis 7.0.
  public let entriesRead: UInt64?
  /// Entries delivered and not yet acknowledged.
  public let pending: UInt64
  /// Pending entries that are no longer in the stream; nil when there are too many to tell.
  public let dangling: UInt64?
  /// Its consumers, in file order.
  public let consumers: [ConsumerSummary]
  /// The first of the pending entries, by id; not coded, empty after decoding.
  ///
  /// At most ``PendingEntry/limit`` of a whole file are kept.
  public let pendingEntries: [PendingEntry]

  /// Stores all members.
  public init(
    name: [UInt8], lastDeliveredID: StreamID, entriesRead: UInt64?, pending: UInt64,
    dangling: UInt64?, consumers: [ConsumerSummary], pendingEntries: [PendingEntry] = []
  ) {
    self.name = name
    self.lastDeliveredID = lastDeliveredID
    self.entriesRead = entriesRead
    self.pending = pending
    self.dangling = dangling
    self.consumers = consumers
    self.pendingEntries = pendingEntries
  }

  /// Decodes all members.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try container.decodeBytes(text: .name, base64: .nameBase64),
      lastDeliveredID: try container.decode(StreamID.self, forKey: .lastDeliveredID),
      entriesRead: try container.decodeIfPresent(UInt64.self, forKey: .entriesRead),
      pending: try container.decode(UInt64.self, forKey: .pending),
      dangling: try container.decodeIfPresent(UInt64.self, forKey: .dangling),
      consumers: try container.decode([ConsumerSummary].self, forKey: .consumers))
  }

  /// Encodes all members, unknown figures as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeBytes(name, text: .name, base64: .nameBase64)
    try container.encode(lastDeliveredID, forKey: .lastDeliveredID)
    try container.encode(entriesRead, forKey: .entriesRead)
    try container.encode(pending, forKey: .pending)
    try container.encode(dangling, forKey: .dangling)
    try container.encode(consumers, forKey: .consumers)
  }

  private enum CodingKeys: String, CodingKey {
    case name, pending, dangling, consumers
    case nameBase64 = "name_base64"
    case lastDeliveredID = "last_delivered_id"
    case entriesRead = "entries_read"
  }
}
