/// The contents of an RDB file in figures, as a manifest stores them.
public struct RDBContent: Codable, Sendable, Equatable {
  /// Keys in all databases.
  public let keys: UInt64
  /// Keys with an expiry in all databases.
  public let expires: UInt64
  /// The databases that have keys, by index.
  public let databases: [DatabaseSummary]
  /// Keys per type.
  public let types: TypeCounts
  /// Function libraries.
  public let functions: UInt64
  /// Streams in all databases, listed or not.
  public let streamsTotal: UInt64
  /// The first 1,000 streams in file order.
  public let streams: [StreamSummary]

  /// Stores all members.
  public init(
    keys: UInt64, expires: UInt64, databases: [DatabaseSummary], types: TypeCounts,
    functions: UInt64, streamsTotal: UInt64, streams: [StreamSummary]
  ) {
    self.keys = keys
    self.expires = expires
    self.databases = databases
    self.types = types
    self.functions = functions
    self.streamsTotal = streamsTotal
    self.streams = streams
  }

  private enum CodingKeys: String, CodingKey {
    case keys, expires, databases, types, functions
    case streamsTotal = "streams_total"
    case streams
  }
}
