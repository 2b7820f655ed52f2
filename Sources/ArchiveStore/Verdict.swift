import RDBFormat

/// What a verification found of a whole archive; the one vocabulary of manifests and of `verify`.
public enum Verdict: String, Codable, Sendable {
  /// Understood to the last byte, and the dump's own checksum agrees.
  case valid
  /// Understood to the last byte; the server wrote no checksum.
  case noChecksum = "no_checksum"
  /// The checksum agrees, but the dump is of a newer version than this tool understands.
  case integrityOnly = "integrity_only"
  /// Not whole, or not what its manifest says.
  case damaged

  /// The verdict on a dump that the inspector read to its end.
  public init(_ verdict: RDBVerdict) {
    switch verdict {
    case .valid: self = .valid
    case .noChecksum: self = .noChecksum
    case .integrityOnly: self = .integrityOnly
    }
  }

  /// Whether an archive with this verdict counts as a backup.
  public var isWhole: Bool { self != .damaged }
}
