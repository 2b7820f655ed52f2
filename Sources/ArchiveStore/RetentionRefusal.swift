/// Why no archive may be removed at all, as facts.
public enum RetentionRefusal: Error, Sendable, Equatable {
  /// The policy keeps nothing.
  case emptyPolicy
  /// An archive is dated later than the clock of this host.
  case datedInTheFuture(ArchiveName)
  /// The newest archive of a Redis has a date that is far from the one of the server's clock.
  case clockJumped(ArchiveName)
}
