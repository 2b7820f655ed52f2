import RedisClient
import Synchronization
import Targets

/// Has the server send its data as to a new replica: that takes no files, and no tools where it lives.
struct ReplicatedDump: Sendable {
  let session: ServerSession
  let report: ProgressReport

  /// Runs a body with a dump that is surely of this run.
  ///
  /// `SYNC` may be answered with a dump that was begun for somebody else: it is sent only while no dump is
  /// being made, so that whichever it attaches to began after we asked.
  ///
  /// - Parameters:
  ///   - connection: Another connection to the server, on which is watched whether it gets on.
  ///   - status: What the server told there.
  /// - Throws: ``SaveFailure``, `RedisError`, and what the body throws.
  func withDump<Result: Sendable>(
    beside connection: ServerConnection, _ status: ServerStatus,
    _ body: @Sendable (DumpAtHand) async throws -> Result
  ) async throws -> Result {
    try await session.withConnection(beside: connection) { replica in
      guard try await replica.status().runID == status.runID else {
        throw BackupError.severalServers()
      }
      let limits = try await limits(on: replica)
      let saved = try await SaveDump(
        method: .sync, files: nil, limits: limits, report: report
      ).run(on: replica)
      let dump = try await replica.redis.requestDump(
        forValkey: status.product == .valkey ? status.version : nil, timeout: limits.stall)
      let byteCount = try await begin(dump, within: limits.stall, beside: connection)
      let begun = ContinuousClock.now
      return try await body(
        DumpAtHand(via: "replication", report: report, byteCount: byteCount) { deliver in
          report(.copying)
          try await dump.read(within: limits.copyStall, deliver: deliver)
          // Without a size it was made while it was read.
          return DumpAtHand.Origin(saved: saved, ended: byteCount == nil ? .now : begun)
        })
    }
  }

  /// The limits, with the time for which the server waits for more replicas before it begins.
  private func limits(on connection: ServerConnection) async throws -> TimeLimits {
    let name = "repl-diskless-sync-delay"
    var limits = session.limits
    do {
      let delay = try await connection.configuration(name)[name].flatMap(Int64.init)
      limits.stall += .seconds(min(max(delay ?? 0, 0), Self.longestDelay))
    } catch RedisError.server {
      // A user who may not ask: then the usual time.
      limits.stall += .seconds(5)
    }
    return limits
  }

  private static let longestDelay: Int64 = 24 * 3600

  /// Waits until the dump begins, as long as the server gets on with it.
  private func begin(
    _ dump: DumpStream, within limit: Duration, beside connection: ServerConnection
  ) async throws -> UInt64? {
    let waiting = Mutex(0)
    let note: @Sendable (Int) -> Void = { count in waiting.withLock { $0 = max($0, count) } }
    do {
      let byteCount = try await withThrowingTaskGroup(of: UInt64?.self) { group in
        group.addTask { try await dump.begin(within: limit) }
        group.addTask { () async throws -> UInt64? in
          // On one of its own: a wait that is cancelled closes its connection.
          try await session.withConnection(beside: connection) { connection -> UInt64? in
            try await failWhenStalled(connection, for: limit, waiting: note)
          }
        }
        defer { group.cancelAll() }
        guard let byteCount = try await group.next() else { throw CancellationError() }
        return byteCount
      }
      // What is made while it is sent goes to all at the speed of the slowest. The server is not asked now:
      // through a tunnel its answer would be behind the dump, which nobody reads yet.
      let others = waiting.withLock { $0 } - 1
      if byteCount == nil, others > 0 { report(.warning(Sentences.dumpShared(others))) }
      return byteCount
    } catch RedisError.connectionClosed(let command) {
      // To those who wait for its dump a child that fails is not told: they are closed.
      if try await hasFailedToSave(connection) { throw SaveFailure.childForReplicaFailed }
      throw RedisError.connectionClosed(command: command)
    }
  }

  /// Whether the server says so; it may be gone.
  private func hasFailedToSave(_ connection: ServerConnection) async throws -> Bool {
    do {
      return try await connection.status().lastBackgroundSaveSucceeded == false
    } catch  where error.isUnreachable {
      return false
    }
  }

  /// - Parameter waiting: Gets how many replicas wait for their dump, ours included, at each look.
  private func failWhenStalled(
    _ connection: ServerConnection, for limit: Duration, waiting: @Sendable (Int) -> Void
  ) async throws -> Never {
    let clock = ContinuousClock()
    var last = try await connection.status()
    var lastMovement = clock.now
    while true {
      try await Task.sleep(for: min(.milliseconds(500), limit / 8))
      let status = try await connection.status()
      if let share = status.savedShare { report(.fraction(share)) }
      waiting(status.replicaStates.count { $0 == "wait_bgsave" })
      if status.hasMoved(since: last) { lastMovement = clock.now }
      if clock.now - lastMovement >= limit { throw SaveFailure.stalled(limit) }
      last = status
    }
  }
}
