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
    /// The same for a server that does not run, of which no safety backup can be taken.
    public var keepsOldFilesOfStopped = true
    /// Whether the archive may be of another Redis.
    public var fromOtherSource = false
    /// Whether a server in a pod is restarted by the kubelet in that pod, which is not deleted then.
    public var restartsInPlace = false
    /// Where the data of a server lies that does not answer; nil where that is not said.
    public var dataDirectory: String?
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
  static let processLimit = 3

  let session: ServerSession
  let workers: Workers
  var options: Options
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
      do {
        return try await carryOut(request, candidate, now: now)
      } catch let stopped as ServerStopped {
        return try await RestoreByFiles(restore: self, stopped: stopped).run(
          request, candidate, now: now)
      }
    } catch let down as ServerDown {
      throw BackupError.serverDown(
        BackupError(restoring: down.cause, session: session))
    } catch let refusal as RestoreRefusal {
      throw BackupError(refusing: refusal, session: session)
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      throw BackupError(restoring: error, session: session)
    }
  }

  private func carryOut(
    _ request: Request, _ candidate: RestoreCandidate?, now: Date
  ) async throws -> RestoreResult {
    let situation = try await lookAround(candidate)
    guard let journal = situation.journal else {
      guard let candidate else {
        if situation.doubt == nil, !options.dryRun {
          try await RestoreJournal.removeUnfinished(
            in: situation.settings.directory, of: session.target.volume)
          try RestoreLog(directory).noteEnd(of: session.target.source)
        }
        throw situation.doubt.map(RestoreRefusal.obstacle) ?? BackupError.noUnfinishedRestore()
      }
      return try await begin(candidate, situation, now: now)
    }
    return try await takeUp(journal, request, candidate, now: now)
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
    if options.safetyBackup {
      try directory.requireRoom(forBackupOf: session.target.source.identity)
    }
    if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
    guard try await confirm(plan) else { throw BackupError.notConfirmed() }
    var journal = RestoreJournal(
      startedAt: now, tool: Tool.manifest,
      archive: RestoreJournal.Archive(candidate),
      files: machine.files, settings: situation.settings, runID: situation.status.runID ?? "",
      processID: Int(situation.status.processID ?? 0))
    journal.keepsOldFiles = options.keepsOldFiles
    if !session.isLocal { journal.restart = options.restart }
    let need = RestoreMachine.neededByteCount(
      candidate.summary, facts, options.machine, hasLinks: false)
    try await claim(journal, on: session.target.volume, needingWithoutLinks: need) {
      let (status, settings) = try await session.withConnection { connection in
        (try await connection.status(), try await ServerSettings.read(from: connection))
      }
      guard status.runID ?? "" == journal.runID, settings == journal.settings else {
        throw BackupError.serverChangedSincePlan()
      }
    }
    return try await forward(machine.stages, run(candidate, journal), plan: plan)
  }

  /// Makes sure that what this restore will make, and remove again, is its own alone.
  ///
  /// A question may have waited for hours; what was true when the plan was made need not be now.
  ///
  /// - Parameters:
  ///   - need: The free bytes without which nothing may begin where the volume has no hard links.
  ///   - isAsPlanned: Throws where the server is not as it was when the plan was made.
  func claim(
    _ journal: RestoreJournal, on volume: any DataVolume, needingWithoutLinks need: UInt64,
    confirming isAsPlanned: () async throws -> Void
  ) async throws {
    let journalPath = RestoreFiles.journal(in: journal.settings.directory)
    guard try await volume.status(of: journalPath) == nil else {
      throw BackupError.otherRestoreBegan(journalPath)
    }
    for path in journal.made where try await volume.status(of: path) != nil {
      throw BackupError.fileInTheWay(path)
    }
    let hasLinks = try await journal.begin(on: volume)
    do {
      if !hasLinks {
        let free = try await volume.freeByteCount(at: journal.settings.directory)
        guard free >= need else { throw RestoreRefusal.noRoom(need: need, free: free) }
      }
      try await isAsPlanned()
      // From here on a later run has something to end.
      try recordStart(of: journal)
    } catch {
      try await journal.remove(from: volume)
      throw error
    }
  }

  // MARK: - An unfinished restore

  private func takeUp(
    _ journal: RestoreJournal, _ request: Request, _ given: RestoreCandidate?, now: Date
  ) async throws -> RestoreResult {
    try journal.requireAbandoned()
    if let given, given.fileDigest != journal.archive.sha256 {
      throw BackupError.otherRestoreUnfinished(journal.archive.name, given: given.name)
    }
    if journal.startedAmidst == true, case .restore = request {
      throw BackupError.serverStartedAmidst("a server")
    }
    let look = run(given, journal)
    let standing = try await look.standing()
    let goesBack =
      journal.direction != .forward || standing.phase < .swapped
      || { if case .rollback = request { standing.phase != .committed } else { false } }()
    if goesBack {
      let way = await look.wayBack(from: standing.phase, serverAnswers: standing.serverAnswers)
      let plan = RestorePlan(way.undo + way.tidy, unfinished: journal, candidate: nil)
      if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
      guard try await confirm(plan) else { throw BackupError.notConfirmed() }
      let undone = try await back(run(given, journal), plan: plan, because: nil)
      guard undone.outcome == .rolledBack, let given else { return undone }
      // The old data is as safe as before the interrupted run: now the wish itself.
      var restore = self
      if journal.isByFiles, session.isLocal {
        restore.options.dataDirectory = journal.settings.directory
      }
      return try await restore.begin(given, restore.lookAround(given), now: now)
    }
    let candidate =
      if let given { given } else { try await prove(named: journal, now: now) }
    var machineOptions = options.machine
    if journal.keepsOldFiles == true { machineOptions.keepsOldFiles = true }
    let whole =
      journal.isByFiles
      ? RestoreMachine.stagesByFiles(keepsOldFiles: journal.keepsOldFiles == true)
      : RestoreMachine.stages(journal.files.layout, machineOptions)
    let stages = RestoreMachine.resumption(at: standing.phase, whole)
    let plan = RestorePlan(
      stages.flatMap(\.steps), unfinished: journal, candidate: candidate)
    if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
    guard try await confirm(plan) else { throw BackupError.notConfirmed() }
    let insists = if case .resume = request { true } else { false }
    try recordStart(of: journal)
    return try await forward(stages, run(candidate, journal, insists: insists), plan: plan)
  }

  func prove(named journal: RestoreJournal, now: Date) async throws -> RestoreCandidate {
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
}
