import Synchronization

/// Asks work that must not be torn apart to end at its next good moment.
final class StopSign: Sendable {
  private let isUp = Mutex(false)
  private let whenRaised: @Sendable () -> Void

  /// - Parameter whenRaised: Is told when the sign goes up.
  init(whenRaised: @escaping @Sendable () -> Void) {
    self.whenRaised = whenRaised
  }

  /// Runs a body to its end even when the task that waits for it is cancelled; the sign tells it then.
  func whileWaiting<Result: Sendable>(
    for body: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withTaskCancellationHandler {
      try await Task { try await body() }.value
    } onCancel: {
      isUp.withLock { $0 = true }
      whenRaised()
    }
  }

  /// - Throws: `CancellationError` once the sign is up.
  func check() throws {
    if isUp.withLock({ $0 }) { throw CancellationError() }
  }
}
