/// What the footer of a whole RDB file says.
public enum RDBChecksum: String, Sendable, Codable, CaseIterable {
  /// The checksum is there and agrees.
  case valid
  /// The footer is zero (`rdbchecksum no`), or the version has none (before 5).
  case disabled
}
