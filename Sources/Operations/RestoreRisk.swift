/// One thing that a user should weigh before a restore.
public struct RestoreRisk: Codable, Sendable, Equatable {
  /// What it is about, for programs.
  public enum Kind: String, Codable, Sendable {
    /// For how long no write will be acknowledged.
    case writesRefused = "writes_refused"
    /// What was written since the backup.
    case dataLost = "data_lost"
    /// Keys that are newer than the backup.
    case keysLost = "keys_lost"
    /// Entries of streams that are newer than the backup.
    case entriesLost = "entries_lost"
    /// Entries that were delivered since, and will be delivered a second time.
    case deliveredAgain = "delivered_again"
    /// Entries that were acknowledged since, and will be pending again.
    case pendingAgain = "pending_again"
    /// Keys of the backup whose time has passed.
    case keysExpired = "keys_expired"
    /// Memory that the data needs, and may not have.
    case memory
    /// Others that are connected.
    case clients
    /// A next start that cannot be foreseen.
    case nextStart = "next_start"
    /// Somebody else who manages the place where the server runs.
    case managed
    /// The image that the next start needs.
    case image
    /// A start that the kubelet may delay.
    case backOff = "back_off"
    /// An archive that does not say where it comes from.
    case source
  }

  /// What it is about.
  public let risk: Kind
  /// A lower-case sentence without a full stop.
  public let message: String

  init(_ risk: Kind, _ message: String) {
    self.risk = risk
    self.message = message
  }
}
