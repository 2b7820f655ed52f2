/// How a restore of single keys ended.
public struct RestoreKeysResult: Sendable {
  /// The ways it can end.
  public enum Outcome: String, Sendable {
    /// Every key that was to be written is.
    case restored
    /// Some keys are written, others are not.
    case partial
    /// Nothing was done.
    case dryRun = "dry_run"
  }

  /// How it ended.
  public let outcome: Outcome
  /// What was planned.
  public let plan: RestoreKeysPlan
  /// What became of each key of the plan; nil for a dry run.
  public let states: [KeyState]?
  /// The path of the backup of the data before; nil when none was taken.
  public let safetyBackup: String?
  /// Why it ended otherwise than it should.
  public let failure: BackupError?

  /// How many keys are in a state.
  public func count(where condition: (KeyState) -> Bool) -> Int {
    states?.count(where: condition) ?? 0
  }
}
