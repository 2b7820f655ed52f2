/// One key as it goes by, for callers that list them all.
public struct RDBKey: Sendable, Equatable {
  /// The database that holds it.
  public let database: UInt64
  /// The key, cut to 64 KiB.
  public let key: [UInt8]
  /// The type of its value.
  public let type: ValueType
  /// How the file stores the value, in the words of `OBJECT ENCODING`.
  public let encoding: String
  /// Bytes in the file for type, key and value.
  public let bytes: UInt64
  /// Elements of a collection, entries of a stream, fields of a hash; 1 for strings and modules.
  public let elements: UInt64
  /// When the key expires, in Unix milliseconds.
  public let expiresAt: Int64?
}
