import RedisClient
import Synchronization
import Targets

// The restart, and connections that outlast none.

extension RestoreRun {
  func restart() async throws {
    hasRestarted = true
    expectedRunID = nil
    (takeovers, takenOverRunID) = (0, nil)
    // On the way back a newer process may run than the one of the journal.
    let processID = presentProcessID ?? journal.processID
    presentProcessID = nil
    try await session.target.control.restart(
      by: journal.restart ?? .pod, processID: processID,
      stopping: { [session] in try await session.shutDown() }, timeout: session.limits.stall)
  }

  func awaitServer() async throws {
    try await withPatience { connection in
      try await self.takeOver(connection)
    }
    try await session.target.control.waitUntilReady(timeout: session.limits.stall)
    // By files, the server says which of them it reads.
    if journal.direction == .forward, !worksByFiles, !servedOthers { try await confirmLoaded() }
  }

  /// Looks whether the server found what was swapped in. No connection is open while files are read.
  private func confirmLoaded() async throws {
    for swap in swaps {
      try await swap.confirmLoaded { [session] in
        try await session.withConnection { try await $0.status() }
      }
    }
  }

  /// Has a new server refuse writes at once, even while it loads, and waits until it has loaded.
  private func takeOver(_ connection: ServerConnection) async throws {
    let values = try await connection.configuration("min-replicas-to-write", "min-replicas-max-lag")
    if let minReplicas = values["min-replicas-to-write"], minReplicas != Self.refusal,
      let maxLag = values["min-replicas-max-lag"]
    {
      freshSettings = (minReplicas, maxLag)
      // One that this run did not start may have let writes in for as long as it liked.
      if !hasRestarted || takeovers > 0 { servedOthers = true }
    }
    takenOverRunID = try await connection.status().runID
    takeovers += 1
    if refusedSince == nil { refusedSince = ContinuousClock.now }
    if worksByFiles, let freshSettings { try await remember(freshSettings) }
    try await refuse(connection, maxLag: values["min-replicas-max-lag"])
  }

  /// Keeps the settings of a server that nobody could ask before, for a run that takes up this one.
  private func remember(_ fresh: (minReplicas: String, maxLag: String)) async throws {
    let known = journal.settings
    guard fresh != (known.minReplicasToWrite, known.minReplicasMaxLag) else { return }
    journal.settings.minReplicasToWrite = fresh.minReplicas
    journal.settings.minReplicasMaxLag = fresh.maxLag
    try await journal.write(to: volume)
  }

  /// Throws where another process answers than the steps before were done to: it has let writes in, and
  /// has files and settings of its own.
  func requireSameServer(_ connection: ServerConnection) async throws {
    if expectedRunID == nil { expectedRunID = takenOverRunID }
    let status = try await connection.status()
    presentProcessID = status.processID.map(Int.init)
    guard let runID = status.runID else { return }
    if let expectedRunID, expectedRunID != runID {
      throw ServerReplaced()
    }
    expectedRunID = runID
  }

  /// Whether an error only says that the process is gone that served the backup, and was not compared
  /// yet. Somebody may have started another, which lets writes in: going back would lose them.
  func lostServer(to error: any Error, after takeovers: Int) -> Bool {
    guard journal.phase == .served, journal.direction == .forward, self.takeovers > takeovers,
      error is ServerReplaced || error.isUnreachable
    else { return false }
    (expectedRunID, takenOverRunID) = (nil, nil)
    return true
  }

  /// Whether a server may have acknowledged writes since the swap that the way back would lose: one that
  /// this run neither started nor took over before it let any in.
  func mayHaveServedOthers() async -> Bool {
    guard journal.phase >= .swapped else { return false }
    if servedOthers { return true }
    // What this run has just started is not in the hands of others yet, where it is known how to reach it.
    if hasRestarted, takeovers == 0, !worksByFiles { return false }
    do {
      let (phase, serverAnswers) = try await standing()
      guard phase == .served else { return false }
      guard !serverAnswers else { return presentRunID != takenOverRunID }
      return try await hasRestarted && worksByFiles ? !isOut() : !hasRestarted
    } catch {
      return worksByFiles || !hasRestarted
    }
  }

  /// Whether the server surely does not run, although it was started.
  private func isOut() async throws -> Bool {
    try await session.target.control.outage(
      dataDirectory: journal.settings.directory, timeout: session.limits.stall) != nil
  }

  /// Connects as soon as a server answers; gives up when none has for the stall time.
  func withPatience<Result: Sendable>(
    _ body: @escaping @Sendable (ServerConnection) async throws -> Result
  ) async throws -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      let reached = ReachedFlag()
      do {
        return try await session.withConnection { connection in
          _ = try await connection.status()
          reached.set()
          return try await body(connection)
        }
      } catch
        where error.isUnreachable && !reached.isSet
        && clock.now - start < session.limits.stall
      {
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }
}

/// Another process answers than the one that was talked to before.
struct ServerReplaced: Error, Sendable {}

extension ServerConnection {
  /// Whether the server has left the connection open.
  func isOpen() async throws -> Bool {
    do {
      _ = try await status()
      return true
    } catch  where error.isUnreachable {
      return false
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
