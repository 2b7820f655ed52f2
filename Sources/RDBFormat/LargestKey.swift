/// A key whose serialized form is among the largest of its file.
public struct LargestKey: Codable, Sendable, Equatable {
  /// The database that holds it.
  public let database: UInt64
  /// The key, cut to 64 KiB; coded as `key` when the bytes are UTF-8, otherwise as `key_base64`.
  public let key: [UInt8]
  /// The type of its value.
  public let type: ValueType
  /// How the file stores the value, in the words of `OBJECT ENCODING`.
  public let encoding: String
  /// Bytes in the file for type, key and value.
  public let bytes: UInt64
  /// Elements of a collection, entries of a stream, fields of a hash; 1 for strings and modules.
  public let elements: UInt64

  /// Stores all members.
  public init(
    database: UInt64, key: [UInt8], type: ValueType, encoding: String, bytes: UInt64,
    elements: UInt64
  ) {
    self.database = database
    self.key = key
    self.type = type
    self.encoding = encoding
    self.bytes = bytes
    self.elements = elements
  }

  /// Decodes all members.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      database: try container.decode(UInt64.self, forKey: .database),
      key: try container.decodeBytes(text: .key, base64: .keyBase64),
      type: try container.decode(ValueType.self, forKey: .type),
      encoding: try container.decode(String.self, forKey: .encoding),
      bytes: try container.decode(UInt64.self, forKey: .bytes),
      elements: try container.decode(UInt64.self, forKey: .elements))
  }

  /// Encodes all members.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(database, forKey: .database)
    try container.encodeBytes(key, text: .key, base64: .keyBase64)
    try container.encode(type, forKey: .type)
    try container.encode(encoding, forKey: .encoding)
    try container.encode(bytes, forKey: .bytes)
    try container.encode(elements, forKey: .elements)
  }

  private enum CodingKeys: String, CodingKey {
    case database, key, type, encoding, bytes, elements
    case keyBase64 = "key_base64"
  }
}
