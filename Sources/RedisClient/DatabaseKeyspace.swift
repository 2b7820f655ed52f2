/// How many keys one database holds.
public struct DatabaseKeyspace: Sendable, Equatable {
  /// The number that SELECT takes.
  public let index: Int
  /// All keys, those too whose time has passed and which are not removed yet.
  public let keys: Int64
  /// The keys that have an expiry time.
  public let expires: Int64

  /// Makes a count.
  public init(index: Int, keys: Int64, expires: Int64) {
    self.index = index
    self.keys = keys
    self.expires = expires
  }
}

extension DatabaseKeyspace {
  /// Reads a field of the section Keyspace: `db0`, `keys=4,expires=1,avg_ttl=0`, more pairs ignored.
  init?(name: Substring, value: Substring) {
    guard name.hasPrefix("db"), let index = Int(name.dropFirst(2)), index >= 0 else { return nil }
    var keys: Int64?
    var expires: Int64?
    for pair in value.split(separator: ",") {
      if pair.hasPrefix("keys=") { keys = Int64(pair.dropFirst(5)) }
      if pair.hasPrefix("expires=") { expires = Int64(pair.dropFirst(8)) }
    }
    guard let keys, let expires else { return nil }
    self.init(index: index, keys: keys, expires: expires)
  }
}
