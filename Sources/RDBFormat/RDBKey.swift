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
  /// Whether the key is longer than what is kept of it.
  public let isCut: Bool
  /// Where its value lies.
  public let value: Value

  /// A value as it lies in the file, for those who cut it out: see ``DumpPayload``.
  public struct Value: Sendable, Equatable {
    /// The type byte in front of the key.
    public let typeCode: UInt8
    /// Where the bytes behind the key lie, counted from the start of the file.
    public let range: Range<UInt64>
    /// For how long the key had not been used, where the server stored that.
    public let idleSeconds: UInt64?
    /// How often the key had been used, on the server's scale, where the server stored that.
    public let useFrequency: UInt8?
    /// Whether modules have stored data beside the value.
    public let hasMetadata: Bool
  }
}
