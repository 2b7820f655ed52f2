/// Where a stream and its consumer groups stand. IDs are text, `milliseconds-sequence`.
///
/// Source: the commands XINFO STREAM, GROUPS and CONSUMERS of Redis 6.2 to 8.6 and Valkey 8.1 to 9.1.
public struct StreamState: Sendable, Equatable {
  /// A consumer group.
  public struct Group: Sendable, Equatable {
    /// The name, any bytes.
    public let name: [UInt8]
    /// The last ID that was given to a consumer.
    public let lastDeliveredID: String
    /// How many entries were read; nil where the server does not know, and before 7.0.
    public let entriesRead: Int64?
    /// Entries given to a consumer and not acknowledged.
    public let pending: Int64
    /// Its consumers, in the server's order.
    public let consumers: [Consumer]

    /// Makes a group.
    public init(
      name: [UInt8], lastDeliveredID: String, entriesRead: Int64?, pending: Int64,
      consumers: [Consumer]
    ) {
      self.name = name
      self.lastDeliveredID = lastDeliveredID
      self.entriesRead = entriesRead
      self.pending = pending
      self.consumers = consumers
    }
  }

  /// A consumer of a group.
  public struct Consumer: Sendable, Equatable {
    /// The name, any bytes.
    public let name: [UInt8]
    /// Entries given to it and not acknowledged.
    public let pending: Int64

    /// Makes a consumer.
    public init(name: [UInt8], pending: Int64) {
      self.name = name
      self.pending = pending
    }
  }

  /// The number of entries.
  public let length: Int64
  /// The ID of the first entry that is there; nil when the stream is empty.
  public let firstID: String?
  /// The ID of the last entry that is there; nil when the stream is empty.
  public let lastID: String?
  /// The highest ID that was ever added or set.
  public let lastGeneratedID: String
  /// The highest ID that was deleted, `0-0` for none; nil before 7.0.
  public let maxDeletedID: String?
  /// How many entries were ever added; nil before 7.0.
  public let entriesAdded: Int64?
  /// The groups, in the server's order.
  public let groups: [Group]

  /// Makes a state.
  public init(
    length: Int64, firstID: String?, lastID: String?, lastGeneratedID: String,
    maxDeletedID: String?, entriesAdded: Int64?, groups: [Group]
  ) {
    self.length = length
    self.firstID = firstID
    self.lastID = lastID
    self.lastGeneratedID = lastGeneratedID
    self.maxDeletedID = maxDeletedID
    self.entriesAdded = entriesAdded
    self.groups = groups
  }
}

extension StreamState {
  /// Reads the reply to XINFO STREAM; nil when it has not that form.
  init?(_ reply: RESPValue, groups: [Group]) {
    guard let fields = reply.fields, let length = fields["length"]?.integer,
      let lastGeneratedID = fields["last-generated-id"]?.text
    else { return nil }
    self.init(
      length: length,
      firstID: fields["first-entry"]?.array?.first?.text,
      lastID: fields["last-entry"]?.array?.first?.text,
      lastGeneratedID: lastGeneratedID,
      maxDeletedID: fields["max-deleted-entry-id"]?.text,
      entriesAdded: fields["entries-added"]?.integer,
      groups: groups)
  }
}

extension StreamState.Group {
  /// Reads one element of the reply to XINFO GROUPS; nil when it has not that form.
  init?(_ element: RESPValue) {
    guard let fields = element.fields, let name = fields["name"]?.bytes,
      let lastDeliveredID = fields["last-delivered-id"]?.text,
      let pending = fields["pending"]?.integer
    else { return nil }
    self.init(
      name: name, lastDeliveredID: lastDeliveredID,
      entriesRead: fields["entries-read"]?.integer, pending: pending, consumers: [])
  }

  /// The same group with its consumers.
  func with(_ consumers: [StreamState.Consumer]) -> Self {
    Self(
      name: name, lastDeliveredID: lastDeliveredID, entriesRead: entriesRead, pending: pending,
      consumers: consumers)
  }
}

extension StreamState.Consumer {
  /// Reads one element of the reply to XINFO CONSUMERS; nil when it has not that form.
  init?(_ element: RESPValue) {
    guard let fields = element.fields, let name = fields["name"]?.bytes,
      let pending = fields["pending"]?.integer
    else { return nil }
    self.init(name: name, pending: pending)
  }
}

extension RESPValue {
  /// An array of names and values by name: their order and number differ between versions.
  fileprivate var fields: [String: RESPValue]? {
    guard let array, array.count.isMultiple(of: 2) else { return nil }
    var fields: [String: RESPValue] = [:]
    for index in stride(from: 0, to: array.count, by: 2) {
      guard let name = array[index].text else { return nil }
      fields[name] = array[index + 1]
    }
    return fields
  }
}
