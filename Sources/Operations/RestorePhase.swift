/// How far a restore has come; what holds once a phase is reached is in `docs/design.md`.
public enum RestorePhase: Int, Codable, Sendable, Comparable, CaseIterable {
  /// The journal is on the volume, and nothing else is sure.
  case begun
  /// The backup lies beside the old files and its digest was compared there.
  case staged
  /// No write is acknowledged any more.
  case refusingWrites
  /// The server writes no file any more, and the old files have second names.
  case kept
  /// The commit point: the next start loads the backup.
  case swapped
  /// A new server process has loaded it, and it was compared.
  case served
  /// Writes are let in again; there is no way back any more.
  case committed

  /// Earlier phases are less.
  public static func < (left: RestorePhase, right: RestorePhase) -> Bool {
    left.rawValue < right.rawValue
  }
}
