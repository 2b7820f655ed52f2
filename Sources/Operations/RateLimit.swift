/// When the next bytes may be read, so that no second has more of them than allowed.
struct RateLimit: Sendable {
  private let bytesPerSecond: UInt64
  private var due = Duration.zero

  /// - Parameter bytesPerSecond: How many; none counts as one.
  init(bytesPerSecond: UInt64) {
    self.bytesPerSecond = max(bytesPerSecond, 1)
  }

  /// Counts bytes that were read, and tells when the next may be.
  ///
  /// A time in which nothing was read is not made up for.
  /// - Parameter now: The time on the clock of the caller; it must not go back.
  mutating func due(after byteCount: Int, at now: Duration) -> Duration {
    due = max(due, now) + .seconds(Double(byteCount) / Double(bytesPerSecond))
    return due
  }
}
