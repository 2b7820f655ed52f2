/// Whose magic an RDB file begins with.
public enum RDBFormatName: String, Sendable, Codable, CaseIterable {
  /// `REDIS` and four digits; Valkey up to 8 writes it too.
  case redis
  /// `VALKEY` and three digits, Valkey 9 and later.
  case valkey

  /// The newest version whose every element this module knows.
  public var newestKnownVersion: Int {
    switch self {
    case .redis: 13
    case .valkey: 80
    }
  }
}
