/// What becomes of the expiry times of keys that are restored.
public enum ExpiryRule: String, Sendable, CaseIterable {
  /// They stay as they are in the backup; a key whose time has passed is not written.
  case keep
  /// They move by the age of the backup, so that each key has as long to live as it had then.
  case extend
  /// The keys do not expire.
  case drop

  /// When a key is to expire.
  ///
  /// - Parameters:
  ///   - expiresAt: When it expires by the backup, in milliseconds since 1970; nil for never.
  ///   - age: The age of the backup in milliseconds.
  func applied(to expiresAt: Int64?, age: Int64) -> Int64? {
    guard let expiresAt else { return nil }
    switch self {
    case .keep: return expiresAt
    case .extend:
      let (moved, isTooLarge) = expiresAt.addingReportingOverflow(max(age, 0))
      return isTooLarge ? .max : moved
    case .drop: return nil
    }
  }
}
