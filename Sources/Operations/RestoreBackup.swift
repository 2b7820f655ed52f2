import ArchiveStore
import Files
import FoundationEssentials
import RDBFormat
import RedisClient
import Targets
import Workers

/// Restores an archive: proves it, plans, asks, replaces the server's data, compares, and goes back to
/// the old data when anything fails.
public struct RestoreBackup: Sendable {
  /// What may be chosen about a restore.
  public struct Options: Sendable {
    /// Whether the present data is backed up first.
    public var safetyBackup = true
    /// Whether the old files stay on the volume.
    public var keepsOldFiles = false
    /// Whether the archive may be of another Redis.
    public var fromOtherSource = false
    /// Whether a server in a pod is restarted by the kubelet in that pod, which is not deleted then.
    public var restartsInPlace = false
    /// Whether only the plan is wanted.
    public var dryRun = false

    /// The choices of the documentation.
    public init() {}

    var restart: RestartWay { restartsInPlace ? .server : .pod }

    var machine: RestoreMachine.Options {
      RestoreMachine.Options(
        safetyBackup: safetyBackup, keepsOldFiles: keepsOldFiles,
        fromOtherSource: fromOtherSource, restart: restart)
    }
  }

  /// What a user asks for.
  public enum Request: Sendable {
    /// Restore an archive; an unfinished restore of the same archive is finished or undone first.
    case restore(ArchiveEntry)
    /// Finish an unfinished restore.
    case resume
    /// Undo an unfinished restore.
    case rollback
  }

  /// So many processes that end before they were compared are no chance any more.
  private static let processLimit = 3

  let session: ServerSession
  let workers: Workers
  let options: Options
  let directory: ArchiveDirectory
  let lock: DirectoryLock?
  let report: ProgressReport
  let confirm: @Sendable (RestorePlan) async throws -> Bool

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
    confirm: @escaping @Sendable (RestorePlan) async throws -> Bool
  ) {
    self.session = session
    self.workers = workers
    self.options = options
    self.directory = directory
    self.lock = lock
    self.report = report
    self.confirm = confirm
  }

  /// Carries out a request.
  ///
  /// - Parameter now: The time that names what the restore makes.
  /// - Returns: How it ended, a failed restore after which the old data is served again included.
  /// - Throws: ``BackupError`` when nothing was changed; `CancellationError` when it was cancelled before
  ///   its commit point, and the old data is served as before.
  public func run(_ request: Request, now: Date) async throws -> RestoreResult {
    var candidate: RestoreCandidate?
    if case .restore(let entry) = request { candidate = try await prove(entry, now: now) }
    do {
      let situation = try await lookAround(candidate)
      guard let journal = situation.journal else {
        guard let candidate else {
          if situation.doubt == nil, !options.dryRun {
            try await RestoreJournal.removeUnfinished(
              in: situation.settings.directory, of: session.target.volume)
          }
          throw situation.doubt.map(RestoreRefusal.obstacle) ?? BackupError.noUnfinishedRestore()
        }
        return try await begin(candidate, situation, now: now)
      }
      return try await takeUp(journal, request, candidate, now: now)
    } catch let refusal as RestoreRefusal {
      throw BackupError(refusing: refusal, session: session)
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      throw BackupError(restoring: error, session: session)
    }
  }

  // MARK: - A new restore

  private func begin(
    _ candidate: RestoreCandidate, _ situation: Situation, now: Date
  ) async throws -> RestoreResult {
    let facts = try await facts(situation)
    let stamp = ArchiveName(date: now).description.dropFirst("redis-dump-".count)
    let machine = try RestoreMachine.plan(facts, candidate, options.machine, stamp: String(stamp))
    let plan = RestorePlan(
      machine.stages.flatMap(\.steps), candidate: candidate, facts: facts, files: machine.files,
      options: options.machine)
    if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
    guard try await confirm(plan) else { throw BackupError.notConfirmed() }
    var journal = RestoreJournal(
      startedAt: now, tool: Tool.manifest,
      archive: RestoreJournal.Archive(
        name: candidate.name, path: candidate.path, sha256: candidate.fileDigest,
        dumpSHA256: candidate.dumpDigest, dumpBytes: candidate.summary.byteCount),
      files: machine.files, settings: situation.settings, runID: situation.status.runID ?? "",
      processID: Int(situation.status.processID ?? 0))
    journal.keepsOldFiles = options.keepsOldFiles
    if session.target.source.target == .kubernetes { journal.restart = options.restart }
    let need = RestoreMachine.neededByteCount(
      candidate.summary, facts, options.machine, hasLinks: false)
    try await claim(journal, needingWithoutLinks: need)
    do {
      try recordStart(of: journal)
    } catch {
      // Nothing was begun that a later run would have to end.
      try await journal.remove(from: session.target.volume)
      throw error
    }
    return try await forward(machine.stages, run(candidate, journal), plan: plan)
  }

  /// Makes sure that what this restore will make, and remove again, is its own alone.
  ///
  /// A question may have waited for hours; what was true when the plan was made need not be now.
  ///
  /// - Parameter need: The free bytes without which nothing may begin where the volume has no hard links.
  private func claim(
    _ journal: RestoreJournal, needingWithoutLinks need: UInt64
  ) async throws {
    let volume = session.target.volume
    let journalPath = RestoreFiles.journal(in: journal.settings.directory)
    guard try await volume.status(of: journalPath) == nil else {
      throw BackupError.otherRestoreBegan(journalPath)
    }
    for path in journal.files.made where try await volume.status(of: path) != nil {
      throw BackupError.fileInTheWay(path)
    }
    let hasLinks = try await journal.begin(on: volume)
    do {
      if !hasLinks {
        let free = try await volume.freeByteCount(at: journal.settings.directory)
        guard free >= need else { throw RestoreRefusal.noRoom(need: need, free: free) }
      }
      let (status, settings) = try await session.withConnection { connection in
        (try await connection.status(), try await ServerSettings.read(from: connection))
      }
      guard status.runID ?? "" == journal.runID, settings == journal.settings else {
        throw BackupError.serverChangedSincePlan()
      }
    } catch {
      try await journal.remove(from: volume)
      throw error
    }
  }

  // MARK: - An unfinished restore

  private func takeUp(
    _ journal: RestoreJournal, _ request: Request, _ given: RestoreCandidate?, now: Date
  ) async throws -> RestoreResult {
    if let given, given.fileDigest != journal.archive.sha256 {
      throw BackupError.otherRestoreUnfinished(journal.archive.name, given: given.name)
    }
    let look = run(given, journal)
    let standing = try await look.standing()
    let goesBack =
      journal.direction != .forward || standing.phase < .swapped
      || { if case .rollback = request { standing.phase != .committed } else { false } }()
    if goesBack {
      let way = await RestoreMachine.rollback(
        from: standing.phase, serverAnswers: standing.serverAnswers,
        hasReturned: look.hasReturned, keepsOldFiles: journal.keepsOldFiles == true)
      let plan = RestorePlan(way.undo + way.tidy, unfinished: journal, candidate: nil)
      if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
      guard try await confirm(plan) else { throw BackupError.notConfirmed() }
      let undone = try await back(run(given, journal), plan: plan, because: nil)
      guard undone.outcome == .rolledBack, let given else { return undone }
      // The old data is as safe as before the interrupted run: now the wish itself.
      return try await begin(given, lookAround(given), now: now)
    }
    let candidate =
      if let given { given } else { try await prove(named: journal, now: now) }
    var machineOptions = options.machine
    if journal.keepsOldFiles == true { machineOptions.keepsOldFiles = true }
    let stages = RestoreMachine.resumption(
      at: standing.phase, RestoreMachine.stages(journal.files.layout, machineOptions))
    let plan = RestorePlan(
      stages.flatMap(\.steps), unfinished: journal, candidate: candidate)
    if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
    guard try await confirm(plan) else { throw BackupError.notConfirmed() }
    let insists = if case .resume = request { true } else { false }
    try recordStart(of: journal)
    return try await forward(stages, run(candidate, journal, insists: insists), plan: plan)
  }

  private func prove(named journal: RestoreJournal, now: Date) async throws -> RestoreCandidate {
    let entry = try directory.find(journal.archive.path, source: nil)
    let candidate = try await prove(entry, now: now)
    guard candidate.fileDigest == journal.archive.sha256 else {
      throw BackupError.otherRestoreUnfinished(journal.archive.name, given: candidate.name)
    }
    return candidate
  }

  private func run(
    _ candidate: RestoreCandidate?, _ journal: RestoreJournal, insists: Bool = false
  ) -> RestoreRun {
    RestoreRun(
      session: session, lock: lock, workers: workers, report: report, candidate: candidate,
      journal: journal, insists: insists)
  }

  // MARK: - Both ways

  /// Goes forward, and back when that fails. Up to the swap it can be cancelled; from then on the end
  /// is nearer than the beginning, and it is carried through.
  private func forward(
    _ stages: [RestoreMachine.Plan.Stage], _ run: RestoreRun, plan: RestorePlan
  ) async throws -> RestoreResult {
    let journal = await run.journal
    do {
      try await run.advance(stages.filter { $0.phase < .swapped })
      try Task.checkCancellation()
      try await uncancelled { try await serve(stages.filter { $0.phase >= .swapped }, run) }
    } catch {
      let reached = await run.journal.phase
      if reached == .committed {
        return try await finish(run, plan: plan, because: error)
      }
      if await run.mayHaveServedOthers() { throw await leave(run, because: error) }
      let result = try await back(run, plan: plan, because: error)
      // Before writes were refused nobody can have noticed anything: the fault itself is the answer.
      if result.outcome == .rolledBack, error is CancellationError || reached < .refusingWrites {
        throw error
      }
      return result
    }
    record(.restored, journal)
    return await RestoreResult(.restored, plan: plan, run: run)
  }

  /// Leaves what is served as it is: writes may have been acknowledged since the restart, and only the user
  /// can say that they may be lost.
  ///
  /// - Returns: What to throw.
  private func leave(_ run: RestoreRun, because error: any Error) async -> any Error {
    if error is CancellationError { return error }
    guard await run.servedOthers else {
      return BackupError.restoreLeft(cause: error, session: session)
    }
    if error.isUnreachable {
      return BackupError.restoredServerLost(cause: error, session: session)
    }
    do {
      try await uncancelled { try await run.leaveServing() }
    } catch let second {
      return BackupError.restoreLeft(cause: error, refusing: second, session: session)
    }
    if let error = error as? DataDiffers {
      return BackupError.restoredDataHasChanged(error.differences)
    }
    return BackupError.restoreLeft(cause: error, session: session)
  }

  /// Goes on after the swap, with the next process where the one that was taken over has ended.
  private func serve(_ stages: [RestoreMachine.Plan.Stage], _ run: RestoreRun) async throws {
    var rest = stages
    var takeovers = 0
    for _ in 1..<Self.processLimit {
      do {
        return try await run.advance(rest)
      } catch {
        guard await run.lostServer(to: error, after: takeovers) else { throw error }
        takeovers = await run.takeovers
        rest = RestoreMachine.resumption(at: .served, rest)
        report(.warning("the server ended before it was compared; the next one is waited for"))
      }
    }
    try await run.advance(rest)
  }

  /// Ends a restore that failed after its data was compared: nothing leads back from there.
  private func finish(
    _ run: RestoreRun, plan: RestorePlan, because error: any Error
  ) async throws -> RestoreResult {
    do {
      try await uncancelled { try await run.rollBack() }
    } catch let second {
      var result = await RestoreResult(.restored, plan: plan, run: run)
      result.failure = .restoreNotEnded(cause: second, first: error, session: session)
      return result
    }
    record(.restored, await run.journal)
    return await RestoreResult(.restored, plan: plan, run: run)
  }

  private func back(
    _ run: RestoreRun, plan: RestorePlan, because error: (any Error)?
  ) async throws -> RestoreResult {
    report(.began("bringing the old data back"))
    var result = await RestoreResult(.rolledBack, plan: plan, run: run)
    if let error { result.failure = .restoreFailed(cause: error, session: session) }
    do {
      try await uncancelled { try await run.rollBack() }
      record(.rolledBack, await run.journal)
    } catch let second {
      result.outcome = .rollbackFailed
      result.failure = await .rollbackFailed(
        cause: second, first: error, journal: run.journal,
        turningPoint: run.turningPoint, session: session)
      record(.rollbackFailed, await run.journal)
    }
    return await result.completed(by: run)
  }

  private func recordStart(of journal: RestoreJournal) throws {
    try RestoreLog(directory).append(
      .started, journal, source: session.target.source)
  }

  /// Writes in the log how a restore ended. What is served does not depend on it, so that a log which
  /// cannot be written is only a warning.
  private func record(_ event: RestoreLog.Event, _ journal: RestoreJournal) {
    do {
      try RestoreLog(directory).append(
        event, journal, source: session.target.source)
    } catch {
      report(.warning("the end of the restore could not be logged: \(error)"))
    }
  }
}

/// Runs a body to its end even when the task that waits for it is cancelled.
private func uncancelled(_ body: @escaping @Sendable () async throws -> Void) async throws {
  try await Task { try await body() }.value
}
