/// The type of a key's value, named as the `TYPE` command does; every module's is `module`.
public enum ValueType: String, Codable, Sendable, CaseIterable {
  /// A string.
  case string
  /// A list.
  case list
  /// A set.
  case set
  /// A sorted set.
  case zset
  /// A hash.
  case hash
  /// A stream.
  case stream
  /// An array, Redis 8.8 and later.
  case array
  /// A value whose format only its module knows.
  case module
}
