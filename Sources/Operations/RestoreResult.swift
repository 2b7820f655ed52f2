/// How a restore ended.
public struct RestoreResult: Sendable {
  /// The ways it can end.
  public enum Outcome: String, Sendable {
    /// The backup's data is served and was compared.
    case restored
    /// The old data is served again.
    case rolledBack = "rolled_back"
    /// The old data is not served; ``RestoreResult/failure`` says what to do.
    case rollbackFailed = "rollback_failed"
    /// Nothing was done.
    case dryRun = "dry_run"
  }

  /// How it ended.
  public internal(set) var outcome: Outcome
  /// What was planned.
  public let plan: RestorePlan
  /// What was compared; nil when it did not come to that.
  public private(set) var comparison: RestoreComparison?
  /// How long writes were refused; nil when they never were.
  public private(set) var writesRefused: Duration?
  /// The path of the backup of the data before.
  public private(set) var safetyBackup: String?
  /// Where the old files stay on the volume; nil where they do not.
  public private(set) var oldFiles: String?
  /// Whether the server did not run before, so that there was no data of it to be served.
  public internal(set) var isByFiles = false
  /// Why it ended otherwise than it should.
  public internal(set) var failure: BackupError?

  init(_ outcome: Outcome, plan: RestorePlan) {
    self.outcome = outcome
    self.plan = plan
  }

  init(_ outcome: Outcome, plan: RestorePlan, run: RestoreRun) async {
    self.init(outcome, plan: plan)
    self = await completed(by: run)
  }

  func completed(by run: RestoreRun) async -> RestoreResult {
    var result = self
    result.comparison = await run.comparison
    result.writesRefused = await run.writesRefused
    result.safetyBackup = await run.journal.safetyBackup
    result.oldFiles = await run.oldFiles
    result.isByFiles = await run.worksByFiles
    return result
  }
}

extension RestoreResult {
  /// How long writes were refused, in seconds to a millisecond.
  public var writesRefusedSeconds: Double? { writesRefused?.seconds }
}
