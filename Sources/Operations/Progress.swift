/// What a use case tells while it works, for a person who watches.
public enum Progress: Sendable, Equatable {
  /// A new part of the work has begun: "saving on the server".
  case began(String)
  /// That many bytes are done; the total where it is known.
  case bytes(done: UInt64, total: UInt64?)
  /// That share of the part is done, from 0 to 1.
  case fraction(Double)
  /// Something that only a user who wants to know each step is told.
  case note(String)
  /// Something that the user should know although the work goes on.
  case warning(String)
}

/// Takes progress; called from any thread, often, and must return at once.
public typealias ProgressReport = @Sendable (Progress) -> Void
