import RedisClient
import Targets

/// A dump that is there or on its way, and how its bytes are had.
struct DumpAtHand: Sendable {
  /// Delivers the whole of it, in order; each piece is waited for before the next is read.
  typealias Read =
    @Sendable (_ deliver: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> Void

  /// What was asked of the server.
  let saved: SavedDump
  /// The way of the bytes: "file", "cp", "exec" or "replication".
  let via: String
  /// Its size; nil where the server makes it while it is read.
  let byteCount: UInt64?
  /// How to read it.
  let read: Read
}

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
      let limits = session.limits
      let saved = try await SaveDump(
        method: .sync, files: nil, limits: limits, report: report
      ).run(on: replica)
      let dump = try await replica.redis.requestDump(
        forValkey: status.product == .valkey ? status.version : nil, timeout: limits.stall)
      let byteCount = try await begin(dump, watching: connection)
      return try await body(
        DumpAtHand(saved: saved, via: "replication", byteCount: byteCount) { deliver in
          try await dump.read(within: limits.copyStall, deliver: deliver)
        })
    }
  }

  /// Waits until the dump begins, as long as the server gets on with it.
  private func begin(
    _ dump: DumpStream, watching connection: ServerConnection
  ) async throws -> UInt64? {
    do {
      return try await withThrowingTaskGroup(of: UInt64?.self) { group in
        group.addTask { try await dump.begin(within: session.limits.stall) }
        group.addTask { try await failWhenStalled(connection) }
        defer { group.cancelAll() }
        guard let byteCount = try await group.next() else { throw CancellationError() }
        return byteCount
      }
    } catch RedisError.connectionClosed(let command) {
      // To those who wait for its dump a child that fails is not told: they are closed.
      if try await connection.status().lastBackgroundSaveSucceeded == false {
        throw SaveFailure.childForReplicaFailed
      }
      throw RedisError.connectionClosed(command: command)
    }
  }

  private func failWhenStalled(_ connection: ServerConnection) async throws -> Never {
    let clock = ContinuousClock()
    var last = try await connection.status()
    var lastMovement = clock.now
    while true {
      try await Task.sleep(for: min(.milliseconds(500), session.limits.stall / 8))
      let status = try await connection.status()
      if let share = status.savedShare { report(.fraction(share)) }
      if status.hasMoved(since: last) { lastMovement = clock.now }
      if clock.now - lastMovement >= session.limits.stall {
        throw SaveFailure.stalled(session.limits.stall)
      }
      last = status
    }
  }
}
