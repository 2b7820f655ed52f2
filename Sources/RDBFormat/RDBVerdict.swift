/// How far a whole RDB file is proven. A damaged file has no verdict: it throws ``RDBError``.
public enum RDBVerdict: String, Sendable, Codable, CaseIterable {
  /// Structure and checksum are good.
  case valid
  /// The structure is good; there is no checksum to compare.
  case noChecksum = "no_checksum"
  /// The version is newer than the newest known: its contents are not vouched for.
  case integrityOnly = "integrity_only"
}
