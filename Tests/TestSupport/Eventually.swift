/// Waits until a condition holds that another process brings about.
///
/// - Throws: ``NeverHappened`` after the limit, or what the condition throws.
public func eventually(
  _ what: String, within limit: Duration = .seconds(60),
  isolation: isolated (any Actor)? = #isolation,
  _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + limit
  while try await !condition() {
    guard ContinuousClock.now < deadline else { throw NeverHappened(what: what) }
    try await Task.sleep(for: .milliseconds(5))
  }
}

/// A condition did not come true in time.
public struct NeverHappened: Error, CustomStringConvertible {
  /// The condition.
  public let what: String
  /// The condition.
  public var description: String { "never happened: \(what)" }
}
