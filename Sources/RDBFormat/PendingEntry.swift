/// An entry that was delivered to a consumer and not acknowledged.
public struct PendingEntry: Sendable, Equatable {
  /// How many of a file are kept.
  public static let limit = 10_000

  /// The entry.
  public let id: StreamID
  /// The name of its consumer; nil where it belongs to none (from Redis 8.8).
  public internal(set) var consumer: [UInt8]?
  /// When it was last delivered, in Unix milliseconds.
  public let deliveredAt: Int64
  /// How often it was delivered.
  public let deliveries: UInt64

  /// Stores all members.
  public init(id: StreamID, consumer: [UInt8]?, deliveredAt: Int64, deliveries: UInt64) {
    self.id = id
    self.consumer = consumer
    self.deliveredAt = deliveredAt
    self.deliveries = deliveries
  }
}
