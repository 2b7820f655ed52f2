import RedisClient
import Targets

// Steps about a server that is kept from running while its files are worked with.

extension RestoreRun {
  /// Stops the server where it runs, and keeps it from being started.
  func hold() async throws {
    guard held == nil else { return }
    let server = RunningServer(processID: presentProcessID ?? 0) { [session] in
      try await session.shutDownOrderly()
    }
    held = try await session.target.control.hold(
      dataDirectory: journal.settings.directory, stopping: server, timeout: session.limits.stall
    ).volume
  }

  /// Puts everything in its place that the next start may read.
  func swapFiles() async throws {
    try await session.target.control.confirmHold(dataDirectory: journal.settings.directory)
    for swap in swaps { try await swap.swap() }
    do {
      try await session.target.control.confirmHold(dataDirectory: journal.settings.directory)
    } catch TargetError.serverRuns(let server) {
      journal.startedAmidst = true
      try await journal.write(to: volume)
      throw StartedAmidst(server: server)
    }
  }

  func startServer() async throws {
    let control = session.target.control
    try await control.confirmHold(dataDirectory: journal.settings.directory)
    hasRestarted = true
    (expectedRunID, takenOverRunID, presentProcessID) = (nil, nil, nil)
    takeovers = 0
    held = nil
    try await control.release(startsServer: true, timeout: session.limits.stall)
    try await control.start(timeout: session.limits.stall)
  }

  func release() async throws {
    guard !keepsHold else { return }
    held = nil
    try await session.target.control.release(startsServer: false, timeout: session.limits.stall)
  }
}

/// A server was started while its files were exchanged: whether it has read the old ones or the new ones is not
/// known.
struct StartedAmidst: Error, Sendable {
  let server: String
}

extension ServerSession {
  /// Has the server exit as it would by itself, or, where it cannot save, without. One that writes its
  /// append-only file for the first time does not exit before that is done.
  func shutDownOrderly() async throws {
    let deadline = ContinuousClock.now + limits.stall
    while true {
      do {
        do {
          return try await shutDown("SHUTDOWN")
        } catch RedisError.server {
          return try await shutDown()
        }
      } catch RedisError.server(let reply) {
        guard ContinuousClock.now < deadline else { throw RedisError.server(reply) }
        try await Task.sleep(for: .milliseconds(100))
      }
    }
  }

  /// Has the server exit without writing its files.
  func shutDown() async throws { try await shutDown("SHUTDOWN", "NOSAVE") }

  private func shutDown(_ words: String...) async throws {
    do {
      _ = try await withConnection { connection in
        try await connection.redis.send(
          words.map { Array($0.utf8) }, timeout: connection.replyTimeout)
      }
    } catch RedisError.connectionClosed {
      // That is how a server says yes.
    } catch  where error.isUnreachable {
      // It has ended already.
    }
  }
}
