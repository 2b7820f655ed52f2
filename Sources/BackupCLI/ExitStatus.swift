import Operations

/// The exit codes: the only map from what happened to a number.
///
/// It is an error too, so that a command which has printed its own document can end with a code.
enum ExitStatus: Int32, Error, CaseIterable {
  case done = 0
  case usage = 64
  case damaged = 65
  case notFound = 66
  case unavailable = 69
  case `internal` = 70
  case cannotCreate = 73
  case io = 74
  case busy = 75
  case incompatible = 76
  case denied = 77
  case config = 78
  case stale = 79
  case restoreFailed = 80
  case rollbackFailed = 81
  case hungUp = 129
  case interrupted = 130
  case terminated = 143

  /// The codes of a Nagios plugin; `status --nagios` alone uses them.
  case nagiosWarning = 1
  case nagiosCritical = 2
  case nagiosUnknown = 3

  init(_ kind: BackupError.Kind) {
    self =
      switch kind {
      case .usage: .usage
      case .damaged: .damaged
      case .notFound: .notFound
      case .unavailable: .unavailable
      case .internal: .internal
      case .cannotCreate: .cannotCreate
      case .io: .io
      case .busy: .busy
      case .incompatible: .incompatible
      case .denied: .denied
      case .config: .config
      case .restoreFailed: .restoreFailed
      case .rollbackFailed: .rollbackFailed
      }
  }

  /// How a run ends that came out like this.
  init<Outcome>(_ outcome: Result<Outcome, any Error>) {
    switch outcome {
    case .success: self = .done
    case .failure(let error): self.init(error: error)
    }
  }

  /// How a run ends that throws this.
  init(error: any Error) {
    self =
      switch error {
      case let status as ExitStatus: status
      case let error as BackupError: ExitStatus(error.kind)
      case is CancellationError: Signals.received ?? .interrupted
      default: .internal
      }
  }

  /// What the code means, for `--help` and the README.
  var meaning: String {
    switch self {
    case .done: "done"
    case .usage: "bad option or value"
    case .damaged: "an archive or a dump is not whole, or data does not match its manifest"
    case .notFound: "no such archive"
    case .unavailable: "cluster, pod, or server cannot be reached, or the save failed"
    case .internal: "a bug here"
    case .cannotCreate: "the archive or its directory cannot be made"
    case .io: "reading or writing failed: disk full, I/O error"
    case .busy: "another run holds the lock, or the server is busy; try again"
    case .incompatible: "this server cannot load this RDB version, or lacks what is needed"
    case .denied: "wrong password, ACL, RBAC, or file permission"
    case .config: "the configuration is wrong, or a policy refuses"
    case .stale: "status: no fresh verified backup, or something else to look at"
    case .restoreFailed: "the restore failed; the old data is served again"
    case .rollbackFailed:
      "the restore failed, the old data is not served; see the message"
    case .hungUp: "SIGHUP: cleaned up, nothing half-done"
    case .interrupted: "SIGINT: cleaned up, nothing half-done"
    case .nagiosWarning: "status --nagios: warning"
    case .nagiosCritical: "status --nagios: critical"
    case .nagiosUnknown: "status --nagios: unknown"
    case .terminated: "SIGTERM: cleaned up, nothing half-done"
    }
  }

  /// The table of all codes as `--help` shows it.
  static var table: String {
    allCases.filter { $0.rawValue == 0 || $0.rawValue > 3 }.map { status in
      let code = "\(status.rawValue)"
      return String(repeating: " ", count: 5 - code.count) + code + "  " + status.meaning
    }.joined(separator: "\n")
  }
}
