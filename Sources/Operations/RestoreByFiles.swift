import ArchiveStore
import FoundationEssentials
import RDBFormat
import Targets

/// Restores by the files of a server that does not run: no command reaches it, so that it is kept from being
/// started while its files are worked with, and started with the backup.
struct RestoreByFiles: Sendable {
  let restore: RestoreBackup
  let stopped: ServerStopped

  private var session: ServerSession { restore.session }
  private var control: any ServerControl { session.target.control }
  private var options: RestoreBackup.Options { restore.options }

  /// Carries out a request; see ``RestoreBackup/run(_:now:)``.
  func run(
    _ request: RestoreBackup.Request, _ candidate: RestoreCandidate?, now: Date
  ) async throws -> RestoreResult {
    if let source = candidate?.source, source != session.target.source.identity,
      !options.fromOtherSource
    {
      throw RestoreRefusal.otherSource(
        archive: source, target: session.target.source.identity)
    }
    // Whether it asks for a password shows only once it has been started, which is too late.
    if let fault = session.secretFault { throw fault }
    let obstacles = try await control.obstaclesToHolding(dataDirectory: stopped.dataDirectory)
    if let obstacle = obstacles.first { throw RestoreRefusal.obstacleToHolding(obstacle) }
    let plan = RestorePlan(
      request, byFiles: session.target.source.identity, candidate: candidate,
      outage: stopped.outage, keepsOldFiles: options.keepsOldFilesOfStopped,
      concerns: try await control.concerns(about: .pod))
    if options.dryRun { return RestoreResult(.dryRun, plan: plan) }
    guard try await restore.confirm(plan) else { throw BackupError.notConfirmed() }
    // The question may have waited for hours.
    guard try await !answers() else { throw BackupError.serverCameUp() }
    restore.report(.began("keeping the server from being started"))
    let files = try await control.hold(
      dataDirectory: stopped.dataDirectory, stopping: nil, timeout: session.limits.stall)
    do {
      return try await work(on: files, request, candidate, plan: plan, now: now)
    } catch let left as HoldEnded {
      throw left.error
    } catch {
      try await uncancelled { [control, session] in
        try await control.release(startsServer: false, timeout: session.limits.stall)
      }
      throw error
    }
  }

  private func answers() async throws -> Bool {
    do {
      _ = try await session.withConnection { try await $0.status() }
      return true
    } catch  where error.isUnreachable {
      return false
    }
  }

  private func work(
    on files: HeldFiles, _ request: RestoreBackup.Request, _ candidate: RestoreCandidate?,
    plan: RestorePlan, now: Date
  ) async throws -> RestoreResult {
    let directory = try await OldFiles.directory(among: files.directories, on: files.volume)
    if let journal = try await RestoreJournal.read(in: directory, of: files.volume) {
      return try await takeUp(journal, files, request, candidate, plan: plan, now: now)
    }
    guard let candidate else { throw BackupError.noUnfinishedRestore() }
    return try await begin(candidate, in: directory, files, plan: plan, now: now)
  }

  // MARK: - A new restore

  private func begin(
    _ candidate: RestoreCandidate, in directory: String, _ held: HeldFiles, plan: RestorePlan,
    now: Date
  ) async throws -> RestoreResult {
    let volume = held.volume
    let told = try await NextStart.read(control.startArguments, from: volume)
    try await requireRead(directory, told, on: volume)
    let old = try await OldFiles.find(in: directory, on: volume, told: told)
    let need = old.neededByteCount(candidate.summary.byteCount, hasLinks: true)
    let free = try await volume.freeByteCount(at: directory)
    guard free >= need else { throw RestoreRefusal.noRoom(need: need, free: free) }
    try await RestoreJournal.removeUnfinished(in: directory, of: volume)
    let stamp = ArchiveName(date: now).description.dropFirst("redis-dump-".count)
    let files = old.files(stamp: String(stamp))
    var journal = RestoreJournal(
      startedAt: now, tool: Tool.manifest, archive: RestoreJournal.Archive(candidate),
      files: files[0], otherFiles: Array(files.dropFirst()), settings: old.settings, runID: "",
      processID: 0)
    journal.byFiles = true
    journal.keepsOldFiles = options.keepsOldFilesOfStopped
    try await restore.claim(
      journal, on: volume,
      needingWithoutLinks: old.neededByteCount(candidate.summary.byteCount, hasLinks: false)
    ) {
      try await control.confirmHold(dataDirectory: directory)
    }
    return try await forward(
      RestoreMachine.stagesByFiles(keepsOldFiles: options.keepsOldFilesOfStopped),
      run(candidate, journal, held), plan: plan)
  }

  /// Throws where the next start is told to work elsewhere.
  private func requireRead(
    _ directory: String, _ told: NextStart?, on volume: any DataVolume
  ) async throws {
    guard let named = told?.settings["dir"], named.hasPrefix("/") else { return }
    let own = try await volume.status(of: join(directory, "."))
    guard try await volume.status(of: join(named, "."))?.inode == own?.inode else {
      throw BackupError.readsOtherFiles(named, insteadOf: directory)
    }
  }

  // MARK: - An unfinished restore

  private func takeUp(
    _ journal: RestoreJournal, _ held: HeldFiles, _ request: RestoreBackup.Request,
    _ given: RestoreCandidate?, plan: RestorePlan, now: Date
  ) async throws -> RestoreResult {
    if let given, given.fileDigest != journal.archive.sha256 {
      throw BackupError.otherRestoreUnfinished(journal.archive.name, given: given.name)
    }
    let (isRollback, insists) =
      switch request {
      case .rollback: (true, false)
      case .resume: (false, true)
      case .restore: (false, false)
      }
    if journal.startedAmidst == true, !isRollback, !insists {
      throw BackupError.serverStartedAmidst("a server")
    }
    let look = run(given, journal, held)
    let phase = try await look.standing().phase
    let isHalf = phase == .swapped ? try await look.isPending() : false
    if journal.direction != .forward || phase < .swapped || isHalf
      || isRollback && phase != .committed
    {
      let goesOn = given != nil
      let undone = try await endingHold {
        try await restore.back(
          run(given, journal, held, forces: isRollback, keepsHold: goesOn), plan: plan,
          because: nil)
      }
      guard undone.outcome == .rolledBack, let given else { return undone }
      // The old files are as safe as before the interrupted run: now the wish itself.
      return try await begin(
        given, in: journal.settings.directory, held, plan: plan, now: now)
    }
    let candidate =
      if let given { given } else { try await restore.prove(named: journal, now: now) }
    try restore.recordStart(of: journal)
    let taking = self.run(candidate, journal, held, insists: insists)
    // Since the swap anybody may have started and stopped it.
    if phase != .committed { try await taking.lookForWrites() }
    return try await forward(
      RestoreMachine.resumptionByFiles(
        at: phase, keepsOldFiles: journal.keepsOldFiles == true), taking, plan: plan)
  }

  private func run(
    _ candidate: RestoreCandidate?, _ journal: RestoreJournal, _ files: HeldFiles,
    insists: Bool = false, forces: Bool = true, keepsHold: Bool = false
  ) -> RestoreRun {
    RestoreRun(
      session: session, lock: restore.lock, workers: restore.workers, report: restore.report,
      candidate: candidate, journal: journal, insists: insists, forces: forces,
      held: files.volume, keepsHold: keepsHold)
  }

  private func forward(
    _ stages: [RestoreMachine.Plan.Stage], _ run: RestoreRun, plan: RestorePlan
  ) async throws -> RestoreResult {
    try await endingHold { try await restore.forward(stages, run, plan: plan) }
  }

  /// The steps themselves end the hold, on whichever way.
  private func endingHold(
    _ body: () async throws -> RestoreResult
  ) async throws -> RestoreResult {
    do {
      return try await body()
    } catch {
      throw HoldEnded(error: error)
    }
  }

  /// An error after which the hold is no concern any more.
  private struct HoldEnded: Error {
    let error: any Error
  }
}

extension RestoreJournal.Archive {
  init(_ candidate: RestoreCandidate) {
    self.init(
      name: candidate.name, path: candidate.path, sha256: candidate.fileDigest,
      dumpSHA256: candidate.dumpDigest, dumpBytes: candidate.summary.byteCount)
  }
}
