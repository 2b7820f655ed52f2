import FoundationEssentials
import GzipMembers
import RDBFormat

/// One thing that a verification has to say of a file.
public struct Finding: Sendable, Equatable {
  /// A stable word for programs: `truncated`, `digest_mismatch`, `checksum_disabled`, …
  public let kind: String
  /// The same for people.
  public let message: String
  /// Where in the dump, or in the compressed file for faults of gzip.
  public let byteOffset: UInt64?
  /// The database that was being read.
  public let database: UInt64?
  /// The beginning of the key that was being read.
  public let key: [UInt8]?
  /// Whether it makes the file worthless, and is not only something to know.
  let isDamage: Bool

  init(
    kind: String, message: String, byteOffset: UInt64? = nil, database: UInt64? = nil,
    key: [UInt8]? = nil, isDamage: Bool = true
  ) {
    self.kind = kind
    self.message = message
    self.byteOffset = byteOffset
    self.database = database
    self.key = key
    self.isDamage = isDamage
  }

  init(_ error: RDBError) {
    self.init(
      kind: error.kind.name, message: error.description, byteOffset: error.byteOffset,
      database: error.database, key: error.key)
  }

  init(_ finding: RDBFinding) {
    self.init(
      kind: finding.kind.rawValue, message: finding.description, byteOffset: finding.byteOffset,
      database: finding.database, key: finding.key, isDamage: false)
  }

  init(_ error: GzipError) {
    self.init(
      kind: "gzip_damaged", message: error.description, byteOffset: error.byteOffset)
  }
}

extension Finding: Encodable {
  private enum CodingKeys: String, CodingKey {
    case kind, message, database, key
    case byteOffset = "byte_offset"
    case keyBase64 = "key_base64"
  }

  /// Writes the finding; a key that is not UTF-8 is written in Base64 under `key_base64`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(message, forKey: .message)
    try container.encode(byteOffset, forKey: .byteOffset)
    try container.encode(database, forKey: .database)
    if let key, String(validating: key, as: UTF8.self) == nil {
      try container.encode(Data(key).base64EncodedString(), forKey: .keyBase64)
    } else {
      try container.encode(key.map { String(decoding: $0, as: UTF8.self) }, forKey: .key)
    }
  }
}
