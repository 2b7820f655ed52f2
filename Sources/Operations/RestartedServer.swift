import Targets

/// A server that an interrupted restore may have left stopped.
struct RestartedServer: Sendable {
  let session: ServerSession
  let log: RestoreLog
  /// Whether a start is allowed.
  let mayStart: Bool

  /// Connects; where nothing answers and the last restore never ended, the server is started first.
  ///
  /// Every moment at which a restore can be killed leaves files that a start is safe with.
  func withConnection<Result: Sendable>(
    _ body: @escaping @Sendable (ServerConnection) async throws -> Result
  ) async throws -> Result {
    do {
      return try await session.withConnection(body)
    } catch  where error.isUnreachable {
      guard try log.isUnfinished(of: session.target.source) else { throw error }
      guard mayStart else { throw BackupError.serverLeftStopped(session.target.source.identity) }
    }
    try await session.target.control.start(timeout: session.limits.stall)
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      do {
        return try await session.withConnection(body)
      } catch  where error.isUnreachable && clock.now - start < session.limits.stall {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }
}
