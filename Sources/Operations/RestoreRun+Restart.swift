import RedisClient
import Synchronization
import Targets

// The restart, and connections that outlast none.

extension RestoreRun {
  func restart() async throws {
    hasRestarted = true
    try await session.target.control.restart(
      processID: journal.processID,
      stopping: { [session] in
        do {
          _ = try await session.withConnection { connection in
            try await connection.send("SHUTDOWN", "NOSAVE")
          }
        } catch RedisError.connectionClosed {
          // That is how a server says yes.
        } catch  where error.isUnreachable {
          // It has ended already.
        }
      }, timeout: session.limits.stall)
  }

  func awaitServer() async throws {
    try await withPatience { connection in
      try await self.takeOver(connection)
    }
    try await session.target.control.waitUntilReady(timeout: session.limits.stall)
  }

  /// Has a new server refuse writes at once, even while it loads, and waits until it has loaded.
  private func takeOver(_ connection: ServerConnection) async throws {
    let values = try await connection.configuration("min-replicas-to-write", "min-replicas-max-lag")
    if let minReplicas = values["min-replicas-to-write"], minReplicas != Self.refusal,
      let maxLag = values["min-replicas-max-lag"]
    {
      freshSettings = (minReplicas, maxLag)
      if !hasRestarted { servedOthers = true }
    }
    if refusedSince == nil { refusedSince = ContinuousClock.now }
    try await refuse(connection, maxLag: values["min-replicas-max-lag"])
  }

  /// Connects as soon as a server answers; gives up when none has for the stall time.
  func withPatience(
    _ body: @escaping @Sendable (ServerConnection) async throws -> Void
  ) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      let reached = ReachedFlag()
      do {
        try await session.withConnection { connection in
          _ = try await connection.status()
          reached.set()
          try await body(connection)
        }
        return
      } catch
        where error.isUnreachable && !reached.isSet
        && clock.now - start < session.limits.stall
      {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }
}

/// Remembers that a server has answered.
private final class ReachedFlag: Sendable {
  private let flag = Mutex(false)

  var isSet: Bool { flag.withLock { $0 } }

  func set() {
    flag.withLock { $0 = true }
  }
}
