/// Whose magic an RDB file begins with.
public enum RDBFormatName: String, Sendable, Codable, CaseIterable {
  /// `REDIS` and four digits; Valkey up to 8 writes it too.
  case redis
  /// `VALKEY` and three digits, Valkey 9 and later.
  case valkey

  /// The newest version that this module knows.
  public var newestKnownVersion: Int {
    switch self {
    case .redis: 14
    case .valkey: 80
    }
  }

  /// The newest version to which nothing is added any more: an element of it that this module does
  /// not know is damage, and not something new.
  var newestSettledVersion: Int {
    switch self {
    case .redis: 13
    case .valkey: 0
    }
  }
}
