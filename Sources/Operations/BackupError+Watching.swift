import Targets

extension BackupError {
  /// The warning of a monitor that was not told.
  ///
  /// - Parameter hasProxy: Whether somebody may expect that a proxy was asked.
  static func heartbeatFailed(_ url: String, _ error: any Error, _ hasProxy: Bool) -> String {
    "\(SecretText.shown(url: url)) could not be told: \(error)"
      + (hasProxy ? "; no proxy is used" : "")
  }

  /// The warning of a command that did not do what it should.
  static func hookFailed(_ option: String, _ error: any Error) -> String {
    switch error {
    case TargetError.commandFailed(_, let status, _):
      "the command of \(option) ended with \(status)"
    case TargetError.stalled(_, let seconds):
      "the command of \(option) was ended: it took longer than \(Int(seconds)) s"
    case is CancellationError: "the command of \(option) was ended by a signal"
    default: "\(error)"
    }
  }
}
