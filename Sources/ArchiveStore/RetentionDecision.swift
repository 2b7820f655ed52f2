/// What retention decides about one archive, and why.
public struct RetentionDecision: Sendable, Equatable {
  /// Why an archive stays.
  public enum KeepReason: String, Codable, Sendable {
    /// No verified archive of its Redis is newer.
    case newestVerified = "newest_verified"
    /// Among the newest.
    case last
    /// The newest of an hour.
    case hourly
    /// The newest of a day.
    case daily
    /// The newest of a week.
    case weekly
    /// The newest of a month.
    case monthly
    /// The newest of a year.
    case yearly
    /// Young enough.
    case within
    /// It has a tag that is kept.
    case tag
    /// The user has pinned it.
    case pinned
    /// Much smaller than those before it.
    case shrunk
    /// Another archive of its Redis is much smaller than those before it.
    case heldBack = "held_back"
    /// A safety backup that is young enough.
    case safety
    /// Nothing says that it is whole.
    case unverified
    /// It is damaged.
    case damaged
    /// A newer version of this tool wrote its manifest.
    case newerManifest = "newer_manifest"
  }

  /// Why an archive goes.
  public enum RemoveReason: String, Codable, Sendable {
    /// No rule of the policy keeps it.
    case notKept = "not_kept"
    /// A safety backup that is too old.
    case safetyExpired = "safety_expired"
  }

  /// What becomes of it.
  public enum Verdict: Sendable, Equatable {
    /// It stays, for at least one reason.
    case keep([KeepReason])
    /// It goes.
    case remove(RemoveReason)
  }

  /// The archive.
  public let archive: RetentionCandidate
  /// What becomes of it.
  public let verdict: Verdict

  /// Whether it goes.
  public var removes: Bool {
    if case .remove = verdict { true } else { false }
  }

  /// Why it stays; empty when it goes.
  public var keepReasons: [KeepReason] {
    if case .keep(let reasons) = verdict { reasons } else { [] }
  }
}
