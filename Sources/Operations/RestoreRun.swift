import ArchiveStore
import FoundationEssentials
import RDBFormat
import RedisClient
import Synchronization
import Targets
import Workers

/// Carries out the steps of a restore, one after the other, and keeps its journal.
///
/// It decides nothing: what is done, and in which order, comes from ``RestoreMachine``.
actor RestoreRun {
  /// A value that no number of replicas reaches, so that every write is refused at once.
  private static let refusal = "1000"

  let session: ServerSession
  let lock: DirectoryLock
  let workers: Workers
  let report: ProgressReport
  /// What is restored; nil where the way leads back only.
  let candidate: RestoreCandidate?
  private(set) var journal: RestoreJournal
  private(set) var comparison: RestoreComparison?
  private(set) var writesRefused: Duration?
  /// Whether a server that this run did not start let writes in when it was taken over.
  private(set) var servedOthers = false
  /// Whether the user has said to finish, whatever was written since.
  private let insists: Bool
  private var hasRestarted = false
  private var presentRunID: String?
  private var refusedSince: ContinuousClock.Instant?
  private var freshSettings: (minReplicas: String, maxLag: String)?

  init(
    session: ServerSession, lock: DirectoryLock, workers: Workers,
    report: @escaping ProgressReport, candidate: RestoreCandidate?, journal: RestoreJournal,
    insists: Bool = false
  ) {
    self.session = session
    self.lock = lock
    self.workers = workers
    self.report = report
    self.candidate = candidate
    self.journal = journal
    self.insists = insists
  }

  /// Carries out stages in order. The journal names each phase before its first step.
  func advance(_ stages: [RestoreMachine.Plan.Stage]) async throws {
    try await perform(
      stages.flatMap { stage in [.enter(stage.phase)] + stage.steps.map(Action.step) })
  }

  /// Brings the old data back from wherever the restore stands.
  ///
  /// - Throws: When the old data is not served afterwards; the journal is there still.
  func rollBack() async throws {
    let (phase, serverAnswers) = try await standing()
    let way = RestoreMachine.rollback(
      from: phase, serverAnswers: serverAnswers, hasReturned: hasReturned)
    if journal.direction != .backDone, phase != .committed {
      try await makeRoom(at: phase)
      if journal.phase > .begun { try await turn(.back, at: phase) }
      try await perform(way.undo.map(Action.step))
      if phase >= .refusingWrites { try await turn(.backDone, at: phase) }
    }
    try await perform(way.tidy.map(Action.step))
  }

  /// Lets writes in again and leaves everything else as it is.
  func leaveServing() async throws {
    try await withPatience { connection in try await self.acceptWrites(connection) }
  }

  /// Where the restore really stands, and whether there is a server to talk to.
  func standing() async throws -> (phase: RestorePhase, serverAnswers: Bool) {
    let entered = journal.phase
    guard entered >= .kept, entered != .committed else { return (entered, true) }
    let replacement = try await volume.status(of: journal.files.replacement)
    var runID: String?
    var serverAnswers = true
    do {
      runID = try await session.withConnection { try await $0.status().runID }
    } catch  where error.isUnreachable {
      serverAnswers = false
    }
    presentRunID = runID
    let phase = RestoreMachine.phase(
      entered: entered, replacementIsThere: replacement != nil,
      isOldProcess: runID == journal.runID)
    return (phase, serverAnswers)
  }

  /// Whether the server has been started since the old files were put back.
  var hasReturned: Bool {
    guard journal.direction == .back, journal.phase == .served, let presentRunID,
      let returned = journal.returnedRunID
    else { return false }
    return presentRunID != returned
  }

  private enum Action {
    case enter(RestorePhase)
    case step(RestoreStep)

    var step: RestoreStep? {
      guard case .step(let step) = self else { return nil }
      return step
    }
  }

  private var volume: any DataVolume { session.target.volume }
  private var files: RestoreFiles { journal.files }

  /// One connection serves all actions between two restarts.
  private func perform(_ actions: [Action]) async throws {
    var rest = actions[...]
    while let first = rest.first {
      if let step = first.step, step.managesConnection {
        report(.began(step.description))
        try await step == .restart ? restart() : awaitServer()
        rest.removeFirst()
        continue
      }
      let part = rest.prefix { !($0.step?.managesConnection ?? false) }
      if part.contains(where: { $0.step?.needsServer ?? false }) {
        try await withPatience { connection in
          for action in part { try await self.perform(action, on: connection) }
        }
      } else {
        for action in part { try await perform(action, on: nil) }
      }
      rest = rest.dropFirst(part.count)
    }
  }

  private func perform(_ action: Action, on connection: ServerConnection?) async throws {
    switch action {
    case .enter(let phase):
      journal.phase = phase
      // The first phase has no journal yet: writing it is its first step.
      if phase > .begun { try await journal.write(to: volume) }
    case .step(let step):
      report(.began(step.description))
      try await perform(step, on: connection)
    }
  }

  private func turn(_ direction: RestoreJournal.Direction, at phase: RestorePhase) async throws {
    journal.direction = direction
    journal.phase = phase
    do {
      try await journal.write(to: volume)
    } catch TargetError.noSpace {
      // The journal that is there leads back as well; what follows gives the room back.
    }
  }

  /// On a full volume the way back needs the room that the staged dump takes: for the append-only file,
  /// which is written anew, and even for the journal.
  private func makeRoom(at phase: RestorePhase) async throws {
    guard phase < .swapped else { return }
    if journal.phase < .swapped {
      try await removeStagedFiles()
    } else if files.stagedDump != files.replacement {
      // The replacement's own name tells a later run where this restore stands.
      try await volume.remove(files.stagedDump)
    }
  }

  private func perform(_ step: RestoreStep, on connection: ServerConnection?) async throws {
    switch step {
    case .beginJournal: try await journal.write(to: volume)
    case .stageBackup: try await stageBackup()
    case .compareDigest: try await compareDigest()
    case .keepOldFiles: try await keepOldFiles()
    case .putOldFilesBack:
      try await putOldFilesBack()
      if journal.phase == .served {
        journal.returnedRunID = presentRunID ?? ""
        try await turn(.back, at: .served)
      }
    case .removeOldFiles: try await removeOldFiles()
    case .removeKeptNames: try await removeKeptNames()
    case .removeStagedFiles: try await removeStagedFiles()
    case .endJournal: try await journal.remove(from: volume)
    case .restart, .awaitServer: break
    case .refuseWrites, .takeSafetyBackup, .saveOldData, .stopPersisting, .swap, .confirmSwap,
      .compareData, .acceptWrites, .resumePersisting, .compareOldData:
      guard let connection else { throw BackupError.internalError("step \(step) has no server") }
      try await perform(step, with: connection)
    }
  }

  private func perform(_ step: RestoreStep, with connection: ServerConnection) async throws {
    switch step {
    case .refuseWrites: try await refuseWrites(connection)
    case .takeSafetyBackup: try await takeSafetyBackup(connection)
    case .saveOldData:
      _ = try await SaveDump(
        method: .bgsave, volume: volume, directory: journal.settings.directory,
        limits: session.limits, report: report
      ).run(on: connection)
    case .stopPersisting: try await stopPersisting(connection)
    case .swap:
      try await waitUntilQuiet(connection)
      try await volume.rename(files.replacement, to: files.live)
    case .confirmSwap:
      try await waitUntilQuiet(connection)
      try await confirmSwap()
    case .compareData: try await compareData(connection)
    case .acceptWrites: try await acceptWrites(connection)
    case .resumePersisting: try await resumePersisting(connection)
    case .compareOldData: try await compareOldData(connection)
    default: break
    }
  }
}

extension RestoreStep {
  /// Whether the step is about the connection itself, so that none can be held open over it.
  fileprivate var managesConnection: Bool { self == .restart || self == .awaitServer }

  fileprivate var needsServer: Bool {
    switch self {
    case .refuseWrites, .takeSafetyBackup, .saveOldData, .stopPersisting, .swap, .confirmSwap,
      .compareData, .acceptWrites, .resumePersisting, .compareOldData:
      true
    case .beginJournal, .stageBackup, .compareDigest, .keepOldFiles, .restart, .awaitServer,
      .removeOldFiles, .endJournal, .putOldFilesBack, .removeKeptNames, .removeStagedFiles:
      false
    }
  }
}

// MARK: - Steps that talk to the server

extension RestoreRun {
  private func refuseWrites(_ connection: ServerConnection) async throws {
    if refusedSince == nil { refusedSince = ContinuousClock.now }
    try await refuse(connection, maxLag: journal.settings.minReplicasMaxLag)
    guard journal.oldKeyspace.isEmpty else { return }
    journal.oldKeyspace = try await connection.status().keyspace.map {
      RestoreJournal.Keyspace(
        index: $0.index, keys: UInt64(clamping: $0.keys), expires: UInt64(clamping: $0.expires))
    }
    try await journal.write(to: volume)
  }

  /// Has every write refused, and waits until the server has loaded where it still loads.
  private func refuse(_ connection: ServerConnection, maxLag: String?) async throws {
    func set() async throws {
      // With a lag of 0 the number of replicas is not looked at.
      if maxLag == "0" { try await connection.set("min-replicas-max-lag", to: "10") }
      try await connection.set("min-replicas-to-write", to: Self.refusal)
    }
    do {
      try await set()
      try await waitUntilLoaded(connection)
    } catch RedisError.server(let error) where error.message.contains("during loading") {
      // 6.2 takes no setting while it loads; nobody can write then either.
      try await waitUntilLoaded(connection)
      try await set()
    }
  }

  private func waitUntilLoaded(_ connection: ServerConnection) async throws {
    try await poll(connection) { [report] status in
      if let percent = status.loadingLoadedPercent { report(.fraction(percent / 100)) }
      return status.loading != true
    }
  }

  private func acceptWrites(_ connection: ServerConnection) async throws {
    let fresh = freshSettings
    try await connection.set(
      "min-replicas-max-lag", to: fresh?.maxLag ?? journal.settings.minReplicasMaxLag)
    try await connection.set(
      "min-replicas-to-write", to: fresh?.minReplicas ?? journal.settings.minReplicasToWrite)
    writesRefused = refusedSince.map { ContinuousClock.now - $0 }
  }

  private func takeSafetyBackup(_ connection: ServerConnection) async throws {
    var options = CreateBackup.Options()
    options.tags = [Manifest.safetyTag: journal.archive.name]
    options.force = true
    let backup = try await CreateBackup(
      session: session, workers: workers, options: options, report: report
    ).run(on: connection, into: lock, now: Date())
    journal.safetyBackup = backup.path
  }

  private func stopPersisting(_ connection: ServerConnection) async throws {
    if journal.settings.appendOnly { try await connection.set("appendonly", to: "no") }
    try await connection.set("save", to: "")
    try await waitUntilQuiet(connection)
  }

  private func resumePersisting(_ connection: ServerConnection) async throws {
    if journal.settings.appendOnly {
      let before = try await connection.status()
      if before.aofEnabled != true { try await connection.set("appendonly", to: "yes") }
      let deadline = ContinuousClock.now + session.limits.stall
      // A run that was killed here may have left a rewrite going; one that fails is tried again by the
      // server for ever.
      try await poll(connection) { status in
        if status.lastAOFRewriteSucceeded == false,
          before.lastAOFRewriteSucceeded != false || ContinuousClock.now > deadline
        {
          return true
        }
        return status.aofEnabled == true && status.aofRewriteInProgress != true
          && status.aofRewriteScheduled != true
      }
      guard try await connection.status().lastAOFRewriteSucceeded == true else {
        throw BackupError.appendOnlyNotResumed()
      }
    }
    try await connection.set("save", to: journal.settings.save)
  }

  /// Waits for saves and rewrites that others have started: they would replace what is swapped in.
  private func waitUntilQuiet(_ connection: ServerConnection) async throws {
    try await poll(connection) { status in
      status.rdbSaveInProgress != true && status.aofRewriteInProgress != true
        && status.aofRewriteScheduled != true
    }
    if journal.settings.appendOnly, try await connection.status().aofEnabled == true {
      throw BackupError.appendOnlyTurnedOnAgain()
    }
  }

  private func compareData(_ connection: ServerConnection) async throws {
    guard let candidate else { throw BackupError.internalError("nothing to compare with") }
    let result = try await DataComparison(
      expected: candidate.summary, now: Date().milliseconds, othersWrote: servedOthers
    ).run(on: connection)
    comparison = result
    guard result.differences.isEmpty || (servedOthers && insists) else {
      throw DataDiffers(differences: result.differences)
    }
  }

  private func compareOldData(_ connection: ServerConnection) async throws {
    // Others have worked with it since: what they changed is theirs.
    if servedOthers { return }
    do {
      try await confirmOldFiles()
      try await compareOldCounts(connection)
    } catch {
      // They have to be put back once more.
      journal.returnedRunID = nil
      try await turn(.back, at: journal.phase)
      throw error
    }
  }

  /// The files are proven by now. Since then keys may have been evicted, and hashes may have lost their
  /// last field: only a server that serves nothing at all is not the one that was there.
  private func compareOldCounts(_ connection: ServerConnection) async throws {
    let status = try await connection.status()
    let lasting = journal.oldKeyspace.map { $0.keys - min($0.keys, $0.expires) }.reduce(0, +)
    let isEmpty = status.keyspace.allSatisfy { $0.keys == 0 }
    guard lasting == 0 || !isEmpty || (status.evictedKeys ?? 0) > 0 else {
      throw DataDiffers(differences: ["no key is served instead of \(lasting)"])
    }
  }

  /// Polls the status until a condition holds, as long as anything moves.
  private func poll(
    _ connection: ServerConnection, until condition: (ServerStatus) -> Bool
  ) async throws {
    let clock = ContinuousClock()
    let stall = session.limits.stall
    var files = UnfinishedFiles(
      of: volume, in: journal.settings.directory, interval: stall / 8)
    var lastMovement = clock.now
    var last: ServerStatus?
    var pause = Duration.milliseconds(10)
    while true {
      let status = try await connection.status()
      if condition(status) { return }
      let filesHaveGrown = try await files.haveGrown()
      if let last, !status.hasMoved(since: last), !filesHaveGrown {
        guard clock.now - lastMovement < stall else { throw SaveFailure.stalled(stall) }
      } else {
        lastMovement = clock.now
      }
      last = status
      try await Task.sleep(for: pause)
      pause = min(pause * 2, .milliseconds(500))
    }
  }
}

/// The served data is not what it should be.
struct DataDiffers: Error, Sendable, Equatable {
  let differences: [String]
}

// MARK: - The restart

extension RestoreRun {
  private func restart() async throws {
    hasRestarted = true
    try await session.target.control.restart(
      processID: journal.processID,
      stopping: { [session] in
        do {
          _ = try await session.withConnection { connection in
            try await connection.send("SHUTDOWN", "NOSAVE")
          }
        } catch RedisError.connectionClosed {
          // That is how a server says yes.
        } catch  where error.isUnreachable {
          // It has ended already.
        }
      }, timeout: session.limits.stall)
  }

  private func awaitServer() async throws {
    try await withPatience { connection in
      try await self.takeOver(connection)
    }
    try await session.target.control.waitUntilReady(timeout: session.limits.stall)
  }

  /// Has a new server refuse writes at once, even while it loads, and waits until it has loaded.
  private func takeOver(_ connection: ServerConnection) async throws {
    let values = try await connection.configuration("min-replicas-to-write", "min-replicas-max-lag")
    if let minReplicas = values["min-replicas-to-write"], minReplicas != Self.refusal,
      let maxLag = values["min-replicas-max-lag"]
    {
      freshSettings = (minReplicas, maxLag)
      if !hasRestarted { servedOthers = true }
    }
    if refusedSince == nil { refusedSince = ContinuousClock.now }
    try await refuse(connection, maxLag: values["min-replicas-max-lag"])
  }

  /// Connects as soon as a server answers; gives up when none has for the stall time.
  private func withPatience(
    _ body: @escaping @Sendable (ServerConnection) async throws -> Void
  ) async throws {
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      let reached = ReachedFlag()
      do {
        try await session.withConnection { connection in
          _ = try await connection.status()
          reached.set()
          try await body(connection)
        }
        return
      } catch
        where error.isUnreachable && !reached.isSet
        && clock.now - start < session.limits.stall
      {
        try await Task.sleep(for: .milliseconds(100))
      }
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
