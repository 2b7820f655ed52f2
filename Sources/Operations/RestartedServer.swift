import RedisClient
import Targets

/// A server that does not run: that nothing answers is not all that is known.
struct ServerStopped: Error, Sendable {
  let outage: ServerOutage
  /// Where its data lies, where that is known.
  let dataDirectory: String?
}

/// A server that an interrupted restore may have left stopped.
struct RestartedServer: Sendable {
  let session: ServerSession
  let log: RestoreLog
  /// Where its data lies, where the user says it.
  let dataDirectory: String?
  /// Whether a start is allowed.
  let mayStart: Bool

  /// Connects; where nothing answers and the last restore never ended, the server is started first.
  ///
  /// Every moment at which a restore can be killed leaves files that a start is safe with.
  /// - Throws: ``ServerStopped`` where it is sure that the server does not run, and its files can be worked with.
  func withConnection<Result: Sendable>(
    _ body: @escaping @Sendable (ServerConnection) async throws -> Result
  ) async throws -> Result {
    do {
      return try await session.withConnection(body)
    } catch  where error.isUnreachable {
      let directory = try await knownDirectory()
      if let outage = try await outage(directory) {
        throw ServerStopped(outage: outage, dataDirectory: directory)
      }
      // Nothing answers where it should, but a server works there: that is not what the user believes.
      if session.isLocal, let directory {
        try await session.target.control.confirmHold(dataDirectory: directory)
      }
      guard try log.isUnfinished(of: session.target.source) else {
        // Who accepts a connection and says nothing runs.
        guard case RedisError.cannotConnect = error, session.isLocal, dataDirectory == nil else {
          throw error
        }
        throw ServerDown(cause: error)
      }
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

  /// On this host a directory is worked with that the user names, or in which a restore by files was interrupted;
  /// in a cluster the pod tells.
  private func knownDirectory() async throws -> String? {
    if let dataDirectory { return dataDirectory }
    guard session.isLocal, let directory = try log.unfinishedDirectory(of: session.target.source),
      let journal = try await RestoreJournal.read(in: directory, of: session.target.volume),
      journal.isByFiles
    else { return nil }
    return directory
  }

  private func outage(_ directory: String?) async throws -> ServerOutage? {
    try await session.target.control.outage(
      dataDirectory: directory, timeout: session.limits.stall)
  }
}

/// A local server does not answer, and where its data lies is not known.
struct ServerDown: Error, Sendable {
  let cause: any Error
}
