/// What a whole RDB file holds.
public struct RDBSummary: Sendable, Equatable {
  /// Whose magic the file has.
  public let format: RDBFormatName
  /// The version in the magic: 11 for `REDIS0011`, 80 for `VALKEY080`.
  public let version: Int
  /// The size of the file in bytes, footer included.
  public let byteCount: UInt64
  /// The CRC64 of all bytes before the footer.
  public let crc64: UInt64
  /// What the footer says.
  public let checksum: RDBChecksum
  /// The first value of each auxiliary field, integers in decimal: at most 64 names, values cut to
  /// 1 KiB, bytes that are not UTF-8 replaced.
  public let aux: [String: String]
  /// How far the file is proven.
  public let verdict: RDBVerdict
  /// Keys, types and streams.
  public let content: RDBContent
  /// Names of the module types met, sorted, at most 256.
  public let moduleNames: [String]
  /// The 20 keys with the most serialized bytes, largest first.
  public let largestKeys: [LargestKey]
  /// What a reader should know although the file is whole; at most 100.
  public let findings: [RDBFinding]

  /// Stores all members.
  public init(
    format: RDBFormatName, version: Int, byteCount: UInt64, crc64: UInt64, checksum: RDBChecksum,
    aux: [String: String], verdict: RDBVerdict, content: RDBContent, moduleNames: [String],
    largestKeys: [LargestKey], findings: [RDBFinding]
  ) {
    self.format = format
    self.version = version
    self.byteCount = byteCount
    self.crc64 = crc64
    self.checksum = checksum
    self.aux = aux
    self.verdict = verdict
    self.content = content
    self.moduleNames = moduleNames
    self.largestKeys = largestKeys
    self.findings = findings
  }
}
