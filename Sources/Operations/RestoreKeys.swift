import ArchiveStore
import Files
import FoundationEssentials
import RDBFormat
import RedisClient
import Synchronization
import Targets
import Workers

/// Writes chosen keys of an archive into the running server: proves the whole archive, plans, asks, and
/// sends each value as it lies in the dump.
public struct RestoreKeys: Sendable {
  /// What may be chosen besides the keys.
  public struct Options: Sendable {
    /// Whether keys that are there are replaced.
    public var replaces = false
    /// What becomes of expiry times.
    public var expiry = ExpiryRule.keep
    /// Whether the present data is backed up before any of it is replaced.
    public var safetyBackup = true
    /// Whether the archive may be of another Redis.
    public var fromOtherSource = false
    /// Whether only the plan is wanted.
    public var dryRun = false

    /// The choices of the documentation.
    public init() {}
  }

  let session: ServerSession
  private let workers: Workers
  let options: Options
  let directory: ArchiveDirectory
  private let lock: DirectoryLock?
  private let report: ProgressReport
  private let confirm: @Sendable (RestoreKeysPlan) async throws -> Bool

  /// - Parameters:
  ///   - session: The way to the server.
  ///   - workers: The threads for the work.
  ///   - directory: Where the safety backup and the log go.
  ///   - lock: The right to write there; nil for a dry run, which writes nothing.
  ///   - report: Takes the progress.
  ///   - confirm: Shows the plan and says whether to go on; not called for a dry run.
  public init(
    session: ServerSession, workers: Workers, options: Options, directory: ArchiveDirectory,
    lock: DirectoryLock?, report: @escaping ProgressReport,
    confirm: @escaping @Sendable (RestoreKeysPlan) async throws -> Bool
  ) {
    self.session = session
    self.workers = workers
    self.options = options
    self.directory = directory
    self.lock = lock
    self.report = report
    self.confirm = confirm
  }

  /// Writes the chosen keys.
  ///
  /// - Returns: How it ended, also when only some of the keys could be written.
  /// - Throws: ``BackupError`` when nothing was changed; `CancellationError` when it was cancelled before
  ///   the first key was written.
  public func run(
    _ choice: KeyChoice, of entry: ArchiveEntry, now: Date
  ) async throws -> RestoreKeysResult {
    let backup = try await prove(entry, choice, now: now)
    do {
      let (plan, runID) = try await plan(backup)
      if options.dryRun {
        return RestoreKeysResult(
          outcome: .dryRun, plan: plan, states: nil, safetyBackup: nil, failure: nil)
      }
      guard try await confirm(plan) else { throw BackupError.notConfirmed() }
      let safetyBackup = try await takeSafetyBackup(plan, backup)
      let writing = try await write(plan, of: backup, to: runID)
      return try end(plan, backup, writing, safetyBackup)
    } catch let refusal as RestoreRefusal {
      throw BackupError(refusing: refusal, session: session)
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      throw BackupError(restoring: error, session: session)
    }
  }

  // MARK: - Looking

  /// The archive as it was proven, and what is wanted of it.
  struct Backup: Sendable {
    let candidate: RestoreCandidate
    let chosen: [RDBKey]
    let status: Files.FileStatus
  }

  private func prove(
    _ entry: ArchiveEntry, _ choice: KeyChoice, now: Date
  ) async throws -> Backup {
    report(.began("proving the archive"))
    let status = try fileStatus(of: entry.path)
    let chosen = ChosenKeys(choice)
    let candidate = try await RestoreCandidate(
      VerifyArchive(workers: workers, report: report)
        .run(entry, now: now, needsDigests: true, onKey: chosen.take))
    let keys = try chosen.finish(in: entry.path)
    guard options.expiry != .extend || candidate.writtenAt != nil else {
      throw BackupError.ageOfBackupUnknown(entry.path)
    }
    return Backup(candidate: candidate, chosen: keys, status: status)
  }

  private func plan(_ backup: Backup) async throws -> (RestoreKeysPlan, runID: String?) {
    report(.began("looking at the server"))
    return try await session.withConnection { connection in
      let status = try await connection.status()
      try await refuse(status, backup, on: connection)
      let present = try await present(backup.chosen.map { ($0.database, $0.key) }, on: connection)
      let plan = RestoreKeysPlan(
        backup.chosen, of: backup.candidate, rule: options.expiry,
        facts: RestoreKeysPlan.Facts(
          identity: session.target.source.identity, server: status.productAndVersion,
          serverTime: status.serverTime.map { $0.milliseconds } ?? Date().milliseconds,
          present: present, replaces: options.replaces,
          takesSafetyBackup: options.safetyBackup))
      let there = plan.keys.filter { $0.action == .replace }
      guard options.replaces || there.isEmpty else {
        throw BackupError.keysAreThere(there.map(\.key))
      }
      guard plan.count(.expired) < plan.keys.count else {
        throw BackupError.allKeysHaveExpired(plan.keys.count)
      }
      return (plan, status.runID)
    }
  }

  // MARK: - Writing

  private func takeSafetyBackup(
    _ plan: RestoreKeysPlan, _ backup: Backup
  ) async throws -> String? {
    guard options.safetyBackup, plan.count(.replace) > 0 else { return nil }
    guard let lock else { throw BackupError.internalError("no directory for the safety backup") }
    report(.began("taking a safety backup"))
    var options = CreateBackup.Options()
    options.tags = [Manifest.safetyTag: backup.candidate.name]
    options.force = true
    return try await CreateBackup(
      session: session, workers: workers, options: options, report: report
    ).run(into: lock, now: Date()).path
  }

  /// How far the writing came.
  private struct Writing: Sendable {
    let states: [KeyState]
    let failure: (any Error)?
  }

  private func write(
    _ plan: RestoreKeysPlan, of backup: Backup, to runID: String?
  ) async throws -> Writing {
    report(.began("writing the keys"))
    let stop = StopSign { [report] in
      report(.began("stopping after the keys that are under way"))
    }
    // What was written must be told, even when the way to the server fails as it is closed.
    let ended = Mutex<Writing?>(nil)
    do {
      try await stop.whileWaiting {
        try await session.withConnection { connection in
          try await lookAgain(plan, backup, runID, on: connection)
          try record(.keysStarted, backup, plan.keys.count - plan.count(.expired))
          let writing = await write(plan, of: backup, on: connection, stop: stop)
          ended.withLock { $0 = writing }
        }
      }
    } catch {
      guard let writing = ended.withLock({ $0 }) else { throw error }
      return Writing(states: writing.states, failure: writing.failure ?? error)
    }
    guard let writing = ended.withLock({ $0 }) else {
      throw BackupError.internalError("the writing of keys never ended")
    }
    return writing
  }

  /// A question may have waited for hours; what was true when the plan was made need not be now.
  private func lookAgain(
    _ plan: RestoreKeysPlan, _ backup: Backup, _ runID: String?, on connection: ServerConnection
  ) async throws {
    guard try await connection.status().runID == runID else {
      throw BackupError.serverChangedSincePlan()
    }
    let created = plan.keys.filter { $0.action == .create }
    let present = try await present(created.map { ($0.database, $0.key) }, on: connection)
    let there = zip(created, present).filter(\.1).map(\.0.key)
    guard there.isEmpty else { throw BackupError.keysAreThere(there) }
    guard try fileStatus(of: backup.candidate.path) == backup.status else {
      throw BackupError.archiveChangedSincePlan(backup.candidate.path)
    }
  }

  private func write(
    _ plan: RestoreKeysPlan, of backup: Backup, on connection: ServerConnection, stop: StopSign
  ) async -> Writing {
    struct Enough: Error {}
    var streams: [Place: StreamSummary] = [:]
    for stream in backup.candidate.summary.content.streams {
      streams[Place(database: stream.database, key: stream.key)] = stream
    }
    let keys = plan.keys.filter { $0.action != .expired }
    let writer = KeyWriter(
      keys.map {
        KeyCheck($0, stream: streams[Place(database: $0.database, key: $0.key)])
      }, version: backup.candidate.summary.version, on: connection, stop: stop)
    var failure: (any Error)?
    do {
      let file = try ArchiveFile(backup.candidate.path, hashes: false, report: report)
      _ = try await file.unpack(on: workers) { block in
        guard await writer.take(block) else { throw Enough() }
      }
    } catch is Enough {
    } catch {
      failure = error
    }
    await writer.finish()
    var written = await writer.states.makeIterator()
    let states = plan.keys.map {
      $0.action == .expired ? .expired : written.next() ?? .notWritten
    }
    if failure == nil { failure = await writer.failure }
    return Writing(states: states, failure: failure)
  }

  private struct Place: Hashable {
    let database: UInt64
    let key: [UInt8]
  }

  private func end(
    _ plan: RestoreKeysPlan, _ backup: Backup, _ writing: Writing, _ safetyBackup: String?
  ) throws -> RestoreKeysResult {
    let states = writing.states
    var result = RestoreKeysResult(
      outcome: .restored, plan: plan, states: states, safetyBackup: safetyBackup, failure: nil)
    if let failure = writing.failure {
      let inner =
        failure is CancellationError
        ? nil : BackupError(writingKeys: failure, states, plan, session: session)
      let untouched = states.allSatisfy { state in
        switch state {
        case .expired, .notWritten, .refused: true
        case .written, .differs, .unknown: false
        }
      }
      if untouched {
        try record(.keysFailed, backup, 0)
        throw inner.map { BackupError.nothingWritten($0) } ?? failure
      }
      result = RestoreKeysResult(
        outcome: .partial, plan: plan, states: states, safetyBackup: safetyBackup,
        failure: .keysPartlyWritten(states, plan, cause: inner))
    }
    let count = result.count { $0 == .written }
    do {
      try record(result.outcome == .restored ? .keysRestored : .keysFailed, backup, count)
    } catch {
      report(.warning("the end of the restore could not be logged: \(error)"))
    }
    return result
  }

  private func record(_ event: RestoreLog.Event, _ backup: Backup, _ count: Int) throws {
    try RestoreLog(directory).append(
      event, archive: backup.candidate.name, source: session.target.source, keys: count)
  }

  private func fileStatus(of path: String) throws -> Files.FileStatus {
    do {
      guard let status = try FileTree.status(of: path) else {
        throw BackupError(DirectoryError.archiveNotFound(reference: path))
      }
      return status
    } catch let error as FileError {
      throw BackupError.cannotRead(path, error)
    }
  }
}

extension Duration {
  /// The span in whole milliseconds.
  fileprivate var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
