/// Why a use case could not do what it promises, in words for the person who asked.
///
/// It is made in one place, the functions beside this type, so that wording is reviewed together.
public struct BackupError: Error, Sendable, Equatable {
  /// What kind of failure it is; each kind has one exit code.
  public enum Kind: String, Sendable, CaseIterable {
    /// A bad option or value.
    case usage
    /// An archive or a dump is not whole, or data does not match its manifest.
    case damaged
    /// No such archive.
    case notFound = "not_found"
    /// Cluster, pod or server cannot be reached, or the save failed.
    case unavailable
    /// A bug in this tool.
    case `internal`
    /// The archive or its directory cannot be made.
    case cannotCreate = "cannot_create"
    /// Reading or writing failed.
    case io
    /// Another run holds the lock, or the server is busy.
    case busy
    /// This server cannot load this dump, or lacks what the plan needs.
    case incompatible
    /// Wrong password, ACL, RBAC, or file permission.
    case denied
    /// The configuration is wrong, or a policy refuses.
    case config
    /// The restore failed; the old data is served again.
    case restoreFailed = "restore_failed"
    /// The restore failed and the old data is not served.
    case rollbackFailed = "rollback_failed"
  }

  /// What kind of failure it is.
  public let kind: Kind
  /// "cannot VERB OBJECT: FACT", lower-case, no full stop.
  public let message: String
  /// What lies behind the fact, in the words of the part that met it.
  public let cause: String?
  /// The next command to run; ``CommandPlace/line(_:)`` makes a line for a shell of it.
  public let next: NextCommand
  /// The pod that the run had found, where its command line leaves that open.
  public internal(set) var pod: String?

  /// The archive that the run had published before it failed; nil for none.
  public internal(set) var archive: String?

  /// The fact and what lies behind it, for a place that has one line for both.
  public var factAndCause: String { [message, cause].compactMap(\.self).joined(separator: ": ") }

  /// Creates an error; only the sentences beside this type do.
  init(_ kind: Kind, _ message: String, cause: String? = nil, hint: NextCommand) {
    self.kind = kind
    self.message = message
    self.cause = cause
    next = hint
  }

  /// The same of a run that had published an archive before.
  public func after(publishing archive: String) -> BackupError {
    let made = "the backup itself was made: \(archive)"
    var error = BackupError(
      kind, message, cause: [cause, made].compactMap(\.self).joined(separator: "; "), hint: next)
    (error.pod, error.archive) = (pod, archive)
    return error
  }
}
