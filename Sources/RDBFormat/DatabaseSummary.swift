/// The keys of one database.
public struct DatabaseSummary: Codable, Sendable, Equatable {
  /// The number that `SELECT` takes.
  public let index: UInt64
  /// All keys.
  public let keys: UInt64
  /// Keys with an expiry.
  public let expires: UInt64
  /// Keys whose expiry is not after the inspector's reference time; not coded, 0 after decoding.
  public let expiredKeys: UInt64
  /// Hashes with an expiry on any field; not coded, 0 after decoding.
  public let fieldExpiringHashes: UInt64

  /// Stores all members.
  public init(
    index: UInt64, keys: UInt64, expires: UInt64, expiredKeys: UInt64 = 0,
    fieldExpiringHashes: UInt64 = 0
  ) {
    self.index = index
    self.keys = keys
    self.expires = expires
    self.expiredKeys = expiredKeys
    self.fieldExpiringHashes = fieldExpiringHashes
  }

  /// Decodes the three coded members.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      index: try container.decode(UInt64.self, forKey: .index),
      keys: try container.decode(UInt64.self, forKey: .keys),
      expires: try container.decode(UInt64.self, forKey: .expires))
  }

  private enum CodingKeys: String, CodingKey {
    case index, keys, expires
  }
}
