import ArchiveStore
import RedisClient
import Targets
import Workers

/// Carries out the steps of a restore, one after the other, and keeps its journal.
///
/// It decides nothing: what is done, and in which order, comes from ``RestoreMachine``.
actor RestoreRun {
  /// A value that no number of replicas reaches, so that every write is refused at once.
  static let refusal = "1000"

  let session: ServerSession
  let lock: DirectoryLock?
  let workers: Workers
  let report: ProgressReport
  /// What is restored; nil where the way leads back only.
  let candidate: RestoreCandidate?
  var journal: RestoreJournal
  var comparison: RestoreComparison?
  var writesRefused: Duration?
  /// Where the old files stay.
  private(set) var oldFiles: String?
  /// Whether a server that this run did not start let writes in when it was taken over.
  var servedOthers = false
  /// Whether the user has said to finish, whatever was written since.
  let insists: Bool
  var hasRestarted = false
  /// How many processes were taken over since the restart.
  var takeovers = 0
  /// The last of them.
  var takenOverRunID: String?
  var presentRunID: String?
  /// The files of a server that is kept from running; nil where it is not.
  var held: (any DataVolume)?
  /// The process that the steps up to the restart belong to; nil for any.
  var expectedRunID: String?
  /// The number of the process that was talked to last.
  var presentProcessID: Int?
  /// Where the restore stood when the way back began; nil where that could not be found out.
  private(set) var turningPoint: RestorePhase?
  var refusedSince: ContinuousClock.Instant?
  var freshSettings: (minReplicas: String, maxLag: String)?

  /// Whether the old files go back whatever was written in their place since.
  let forces: Bool
  /// Whether the server stays stopped when the old files are back, since another restore follows.
  let keepsHold: Bool

  init(
    session: ServerSession, lock: DirectoryLock?, workers: Workers,
    report: @escaping ProgressReport, candidate: RestoreCandidate?, journal: RestoreJournal,
    insists: Bool = false, forces: Bool = true, held: (any DataVolume)? = nil,
    keepsHold: Bool = false
  ) {
    self.session = session
    self.lock = lock
    self.workers = workers
    self.report = report
    self.candidate = candidate
    self.journal = journal
    self.journal.owner = .current
    self.insists = insists
    self.forces = forces
    self.held = held
    self.keepsHold = keepsHold
  }

  /// Carries out stages in order. The journal names each phase before its first step.
  func advance(_ stages: [RestoreMachine.Plan.Stage]) async throws {
    // What was planned, refused and swapped so far was all done to the process of the journal.
    let precedesRestart = stages.contains {
      $0.phase < .served || $0.steps.contains(.confirmSwap)
    }
    expectedRunID = precedesRestart && !journal.runID.isEmpty ? journal.runID : nil
    try await perform(
      stages.flatMap { stage in [.enter(stage.phase)] + stage.steps.map(Action.step) })
  }

  /// Brings the old data back from wherever the restore stands.
  ///
  /// - Throws: When the old data is not served afterwards; the journal is there still.
  func rollBack() async throws {
    (expectedRunID, takenOverRunID) = (nil, nil)
    let (phase, serverAnswers) = try await standing()
    turningPoint = phase
    let way = wayBack(from: phase, serverAnswers: serverAnswers)
    if journal.direction != .backDone, phase != .committed {
      try await makeRoom(at: phase)
      // Without a server the journal can be reached only then.
      if way.undo.contains(.holdServer) { try await perform([.step(.holdServer)]) }
      // By files, that the swap has begun must not be forgotten when only a part of it was done.
      if journal.phase > .begun { try await turn(.back, at: worksByFiles ? journal.phase : phase) }
      try await perform(way.undo.filter { $0 != .holdServer }.map(Action.step))
      if phase >= .refusingWrites { try await turn(.backDone, at: phase) }
    }
    try await perform(way.tidy.map(Action.step))
  }

  /// Lets writes in again and leaves everything else as it is.
  func leaveServing() async throws {
    try await withPatience { connection in try await self.acceptWrites(connection) }
  }

  private enum Action {
    case enter(RestorePhase)
    case step(RestoreStep)

    var step: RestoreStep? {
      guard case .step(let step) = self else { return nil }
      return step
    }

    var needsServer: Bool { step?.needsServer ?? false }
  }

  /// The files: while the server is kept from running, they are reached in another way.
  var volume: any DataVolume { held ?? session.target.volume }
  var files: RestoreFiles { journal.files }

  private func perform(_ actions: [Action]) async throws {
    var rest = actions[...]
    while let first = rest.first {
      if let step = first.step, step.managesConnection {
        report(.began(step.description))
        try await step == .restart ? restart() : awaitServer()
        rest.removeFirst()
      } else if first.needsServer {
        let part = rest.prefix { !($0.step?.managesConnection ?? false) }
        rest = rest.dropFirst(try await performConnected(part))
      } else {
        try await perform(first, on: nil)
        rest.removeFirst()
      }
    }
  }

  /// One connection serves as many actions as it lives: a server with a `timeout` closes what was idle
  /// while files were copied, and that is no fault.
  ///
  /// - Returns: How many actions were carried out, at least one.
  private func performConnected(_ actions: ArraySlice<Action>) async throws -> Int {
    try await withPatience { connection in
      try await self.requireSameServer(connection)
      var count = 0
      for action in actions {
        if count > 0, action.needsServer, try await !connection.isOpen() { break }
        try await self.perform(action, on: connection)
        count += 1
      }
      return count
    }
  }

  private func perform(_ action: Action, on connection: ServerConnection?) async throws {
    switch action {
    case .enter(let phase):
      journal.phase = phase
      // The first journal was written when the names were claimed.
      if phase > .begun { try await journal.write(to: volume) }
    case .step(.holdServer) where held != nil: break
    case .step(let step):
      report(.began(step.description))
      try await perform(step, on: connection)
    }
  }

  func turn(_ direction: RestoreJournal.Direction, at phase: RestorePhase) async throws {
    journal.direction = direction
    journal.phase = phase
    do {
      try await journal.write(to: volume)
    } catch TargetError.noSpace {
      // The journal that is there leads back as well; what follows gives the room back.
    }
  }

  /// On a full volume the way back needs the room that the staged dump takes: for the append-only file,
  /// which is written anew, and even for the journal. By files, what is staged tells what was not swapped.
  private func makeRoom(at phase: RestorePhase) async throws {
    guard phase < .swapped, !worksByFiles else { return }
    if journal.phase < .swapped {
      try await removeStagedFiles()
    } else if files.stagedDump != files.replacement {
      // The replacement's own name tells a later run where this restore stands.
      try await volume.remove(files.stagedDump)
    }
  }

  private func perform(_ step: RestoreStep, on connection: ServerConnection?) async throws {
    switch step {
    case .beginJournal: break
    case .stageBackup: try await stageBackup()
    case .compareDigest: try await compareDigest()
    case .keepOldFiles: try await keepOldFiles()
    case .putOldFilesBack: try await putOldFilesBack()
    case .removeOldFiles: try await removeOldFiles()
    case .removeOldNames:
      try await removeOldNames()
      if try await volume.status(of: files.kept) != nil { oldFiles = files.kept }
    case .removeKeptNames: try await removeKeptNames()
    case .removeStagedFiles: try await removeStagedFiles()
    case .endJournal: try await journal.remove(from: volume)
    case .swapFiles: try await swapFiles()
    case .holdServer: try await hold()
    case .startServer: try await startServer()
    case .releaseServer: try await release()
    case .restart, .awaitServer: break
    case .refuseWrites, .takeSafetyBackup, .saveOldData, .stopPersisting, .swap, .confirmSwap,
      .compareData, .acceptWrites, .resumePersisting, .compareOldData, .dropUnusedFiles:
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
        method: .bgsave,
        files: UnfinishedFiles(
          of: volume, in: journal.settings.directory, interval: session.limits.stall / 8),
        limits: session.limits, report: report
      ).run(on: connection)
    case .stopPersisting: try await stopPersisting(connection)
    case .swap:
      try await waitUntilQuiet(connection)
      for swap in swaps { try await swap.swap() }
    case .confirmSwap:
      try await waitUntilQuiet(connection)
      try await confirmSwap()
    case .compareData: try await compareData(connection)
    case .acceptWrites: try await acceptWrites(connection)
    case .resumePersisting: try await resumePersisting(connection)
    case .compareOldData: try await compareOldData(connection)
    case .dropUnusedFiles: try await dropUnusedFiles(connection)
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
      .compareData, .acceptWrites, .resumePersisting, .compareOldData, .dropUnusedFiles:
      true
    case .beginJournal, .stageBackup, .compareDigest, .keepOldFiles, .restart, .awaitServer,
      .removeOldFiles, .removeOldNames, .endJournal, .putOldFilesBack, .removeKeptNames,
      .removeStagedFiles, .swapFiles, .holdServer, .startServer, .releaseServer:
      false
    }
  }
}

/// The served data is not what it should be.
struct DataDiffers: Error, Sendable, Equatable {
  let differences: [String]
}
