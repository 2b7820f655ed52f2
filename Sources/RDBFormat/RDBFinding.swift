/// Something that a reader of a whole file should know.
public struct RDBFinding: Codable, Sendable, Equatable, CustomStringConvertible {
  /// What kind of thing it is.
  public let kind: Kind
  /// The fact, lower-case and without a full stop.
  public let message: String
  /// Where it was met, in bytes from the start of the file.
  public let byteOffset: UInt64
  /// The database it concerns.
  public let database: UInt64?
  /// The key it concerns, cut to 256 bytes; coded as `key`, or `key_base64` when it is not UTF-8.
  public let key: [UInt8]?

  /// Stores all members.
  public init(
    kind: Kind, message: String, byteOffset: UInt64, database: UInt64? = nil, key: [UInt8]? = nil
  ) {
    self.kind = kind
    self.message = message
    self.byteOffset = byteOffset
    self.database = database
    self.key = key
  }

  /// The kinds of finding.
  public enum Kind: String, Codable, Sendable, CaseIterable {
    /// The footer holds no checksum.
    case checksumDisabled = "checksum_disabled"
    /// A check was left out to keep memory bounded.
    case notChecked = "not_checked"
    /// The version is newer than the newest known.
    case newerVersion = "newer_version"
    /// The contents are not understood from here on.
    case notUnderstood = "not_understood"
    /// A list of the summary is cut; its totals are not.
    case listCut = "list_cut"
    /// A collection without elements, which servers drop when they load the file.
    case emptyValue = "empty_value"
  }

  /// The fact and its place, with the key escaped.
  public var description: String { message + place(database, key) }

  /// Decodes all members.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let text = try container.decodeIfPresent(String.self, forKey: .key)
    let hasKey = text != nil || container.contains(.keyBase64)
    self.init(
      kind: try container.decode(Kind.self, forKey: .kind),
      message: try container.decode(String.self, forKey: .message),
      byteOffset: try container.decode(UInt64.self, forKey: .byteOffset),
      database: try container.decodeIfPresent(UInt64.self, forKey: .database),
      key: hasKey ? try container.decodeBytes(text: .key, base64: .keyBase64) : nil)
  }

  /// Encodes all members, absent ones as null.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(message, forKey: .message)
    try container.encode(byteOffset, forKey: .byteOffset)
    try container.encode(database, forKey: .database)
    if let key {
      try container.encodeBytes(key, text: .key, base64: .keyBase64)
    } else {
      try container.encodeNil(forKey: .key)
    }
  }

  private enum CodingKeys: String, CodingKey {
    case kind, message, database, key
    case keyBase64 = "key_base64"
    case byteOffset = "byte_offset"
  }
}
