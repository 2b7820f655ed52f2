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
    if !options.fromOtherSource {
      try candidate?.requireSource(session.target.source.identity)
    }
    // Whether it asks for a password shows only once it has been started, which is too late.
    if let fault = session.secretFault { throw fault }
    let obstacles = try await control.obstaclesToHolding(dataDirectory: stopped.dataDirectory)
    if let obstacle = obstacles.first { throw RestoreRefusal.obstacleToHolding(obstacle) }
    let plan = try await plan(request, candidate)
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

  /// On this host all is looked at that the plan depends on; in a cluster nothing of the files can be seen before.
  private func plan(
    _ request: RestoreBackup.Request, _ candidate: RestoreCandidate?
  ) async throws -> RestorePlan {
    if session.isLocal, let directory = stopped.dataDirectory {
      let volume = session.target.volume
      if let journal = try await RestoreJournal.read(in: directory, of: volume) {
        try journal.requireAbandoned()
        let steps = try await steps(
          of: journal, request, run(candidate, journal, volume)
        ).steps
        return RestorePlan(steps, unfinished: journal, candidate: candidate)
      }
      if let candidate { _ = try await look(at: directory, on: volume, candidate) }
    }
    return RestorePlan(
      request, byFiles: session.target.source.identity, candidate: candidate,
      outage: stopped.outage, keepsOldFiles: options.keepsOldFilesOfStopped,
      concerns: try await control.concerns(about: .pod))
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
    if let candidate {
      return try await begin(candidate, in: directory, files, plan: plan, now: now)
    }
    // A run that was killed before it had a journal has scaled the server down.
    guard case .rollback = request, case .scaledDown(_, .some) = stopped.outage else {
      throw BackupError.noUnfinishedRestore()
    }
    try await control.release(startsServer: false, timeout: session.limits.stall)
    var undone = RestoreResult(.rolledBack, plan: plan)
    undone.isByFiles = true
    return undone
  }

  // MARK: - A new restore

  private func begin(
    _ candidate: RestoreCandidate, in directory: String, _ held: HeldFiles, plan: RestorePlan,
    now: Date
  ) async throws -> RestoreResult {
    let volume = held.volume
    let old = try await look(at: directory, on: volume, candidate)
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
      run(candidate, journal, volume), plan: plan)
  }

  /// Looks at what the server may read, and whether there is room for the backup beside it.
  private func look(
    at directory: String, on volume: any DataVolume, _ candidate: RestoreCandidate
  ) async throws -> OldFiles {
    let told = try await NextStart.read(control.startArguments, from: volume)
    try await requireRead(directory, told, on: volume)
    try told?.admit(session.login)
    let old = try await OldFiles.find(in: directory, on: volume, told: told)
    let need = old.neededByteCount(candidate.summary.byteCount, hasLinks: true)
    let free = try await volume.freeByteCount(at: directory)
    guard free >= need else { throw RestoreRefusal.noRoom(need: need, free: free) }
    return old
  }

  /// Throws where the next start is told to work elsewhere.
  private func requireRead(
    _ directory: String, _ told: NextStart?, on volume: any DataVolume
  ) async throws {
    guard let named = told?.settings["dir"], named.hasPrefix("/") else { return }
    guard try await volume.isOneDirectory(named, directory) else {
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
    if journal.startedAmidst == true, case .restore = request {
      throw BackupError.serverStartedAmidst("a server")
    }
    let (stages, _) = try await steps(of: journal, request, run(given, journal, held.volume))
    guard let stages else {
      let goesOn = given != nil
      let undone = try await endingHold {
        try await restore.back(
          run(given, journal, held.volume, forces: request.isRollback, keepsHold: goesOn),
          plan: plan, because: nil)
      }
      guard undone.outcome == .rolledBack, let given else { return undone }
      // The old files are as safe as before the interrupted run: now the wish itself.
      return try await begin(
        given, in: journal.settings.directory, held, plan: plan, now: now)
    }
    let candidate =
      if let given { given } else { try await restore.prove(named: journal, now: now) }
    try restore.recordStart(of: journal)
    let taking = run(candidate, journal, held.volume, insists: request.insists)
    // Since the swap anybody may have started and stopped it.
    if stages.contains(where: { $0.steps.contains(.compareData) }) {
      try await taking.lookForWrites()
    }
    return try await forward(stages, taking, plan: plan)
  }

  /// What is to be done about an unfinished restore.
  ///
  /// - Returns: The stages on the way forward, nil on the way back, and all steps of that way.
  private func steps(
    of journal: RestoreJournal, _ request: RestoreBackup.Request, _ look: RestoreRun
  ) async throws -> (stages: [RestoreMachine.Plan.Stage]?, steps: [RestoreStep]) {
    let phase = try await look.standing().phase
    let isHalf = phase == .swapped ? try await look.isPending() : false
    guard
      journal.direction != .forward || phase < .swapped || isHalf
        || request.isRollback && phase != .committed
    else {
      let stages = RestoreMachine.resumptionByFiles(
        at: phase, keepsOldFiles: journal.keepsOldFiles == true)
      return (stages, stages.flatMap(\.steps))
    }
    let way = await look.wayBack(from: phase, serverAnswers: false)
    return (nil, way.undo + way.tidy)
  }

  private func run(
    _ candidate: RestoreCandidate?, _ journal: RestoreJournal, _ volume: any DataVolume,
    insists: Bool = false, forces: Bool = true, keepsHold: Bool = false
  ) -> RestoreRun {
    RestoreRun(
      session: session, lock: restore.lock, workers: restore.workers, report: restore.report,
      candidate: candidate, journal: journal, insists: insists, forces: forces,
      held: volume, keepsHold: keepsHold)
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

extension RestoreBackup.Request {
  fileprivate var isRollback: Bool { if case .rollback = self { true } else { false } }

  /// Whether it is to be finished whatever was written since.
  fileprivate var insists: Bool { if case .resume = self { true } else { false } }
}

extension RestoreJournal.Archive {
  init(_ candidate: RestoreCandidate) {
    self.init(
      name: candidate.name, path: candidate.path, sha256: candidate.fileDigest,
      dumpSHA256: candidate.dumpDigest, dumpBytes: candidate.summary.byteCount)
  }
}
