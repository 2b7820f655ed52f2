import RDBFormat
import RedisClient
import Targets

/// Decides what a restore does: from facts to a list of steps, and from any phase back to the old data.
///
/// It does no I/O. The order of the steps is the one that real servers were seen to survive at every
/// point; the reasons stand in `docs/design.md`.
enum RestoreMachine {
  /// What a user may choose.
  struct Options: Sendable, Equatable {
    var safetyBackup = true
    var keepsOldFiles = false
    var fromOtherSource = false
    var restart = RestartWay.pod
  }

  /// The phases with the steps that lead to each.
  struct Plan: Sendable, Equatable {
    struct Stage: Sendable, Equatable {
      let phase: RestorePhase
      let steps: [RestoreStep]
    }

    let files: RestoreFiles
    let stages: [Stage]
  }

  /// The plan, or the reason why there is none.
  ///
  /// - Parameter stamp: What tells the names of this restore from those of others.
  static func plan(
    _ facts: RestoreFacts, _ candidate: RestoreCandidate, _ options: Options, stamp: String
  ) throws(RestoreRefusal) -> Plan {
    try refuse(facts, candidate, options)
    let layout = RestoreLayout(facts.settings)
    if layout == .multiPartAOF, facts.appendManifest == nil {
      let directory = join(
        facts.settings.directory, facts.settings.appendDirectoryName ?? "appendonlydir")
      throw .appendManifestUnreadable(
        path: join(directory, facts.settings.appendFileName + ".manifest"))
    }
    let files = RestoreFiles(
      settings: facts.settings, layout: layout, manifest: facts.appendManifest, stamp: stamp)
    return Plan(files: files, stages: stages(layout, options))
  }

  /// The stages of a restore of that layout.
  static func stages(_ layout: RestoreLayout, _ options: Options) -> [Plan.Stage] {
    // A dump that the server writes on request is what holds its last acknowledged write when it keeps
    // no append-only file; the safety backup makes it write one too.
    let secured: [RestoreStep] =
      options.safetyBackup
      ? [.takeSafetyBackup] : layout == .snapshot ? [.saveOldData] : []
    return [
      Plan.Stage(phase: .begun, steps: [.beginJournal]),
      Plan.Stage(phase: .staged, steps: [.stageBackup, .compareDigest]),
      Plan.Stage(phase: .refusingWrites, steps: [.refuseWrites] + secured),
      Plan.Stage(phase: .kept, steps: [.stopPersisting, .keepOldFiles]),
      Plan.Stage(phase: .swapped, steps: [.swap]),
      Plan.Stage(phase: .served, steps: [.confirmSwap, .restart, .awaitServer, .compareData]),
      Plan.Stage(
        phase: .committed,
        steps: [
          .acceptWrites, options.keepsOldFiles ? .removeOldNames : .removeOldFiles, .endJournal,
        ]),
    ]
  }

  /// Where an interrupted restore really stands.
  ///
  /// - Parameters:
  ///   - entered: The phase that its journal says it was about to reach.
  ///   - replacementIsThere: Whether the file that the swap renames still has its first name.
  ///   - isOldProcess: Whether the server is the one that the restore began with.
  static func phase(
    entered: RestorePhase, replacementIsThere: Bool, isOldProcess: Bool
  ) -> RestorePhase {
    switch entered {
    // By files, where a part was swapped, it may have been taken for all.
    case .swapped where replacementIsThere, .served where replacementIsThere: .kept
    case .swapped, .served: isOldProcess ? .swapped : .served
    case .begun, .staged, .refusingWrites, .kept, .committed: entered
    }
  }

  /// What is still to be done when a restore is taken up again after its swap.
  static func resumption(at phase: RestorePhase, _ plan: [Plan.Stage]) -> [Plan.Stage] {
    plan.filter { $0.phase >= phase }.compactMap { stage in
      switch (phase, stage.phase) {
      case (.swapped, .swapped): nil
      case (.served, .served):
        Plan.Stage(phase: .served, steps: [.awaitServer, .compareData])
      default: stage
      }
    }
  }

  /// The way back from a phase: first what brings the old data back, then what tidies up.
  ///
  /// Nothing leads back from ``RestorePhase/committed``: writes have been acknowledged since.
  /// - Parameter serverAnswers: Whether there is a server to talk to; only after the swap can the way
  ///   back do without.
  /// - Parameter isPutBack: Whether the old files were put back already: the process of then may have written
  ///   others since.
  /// - Parameter hasReturned: Whether the server was started since the old files were put back: what it
  ///   has acknowledged since would be lost if they were put back once more.
  /// - Parameter keepsOldFiles: Whether they stay where the new data is served.
  static func rollback(
    from phase: RestorePhase, serverAnswers: Bool = true, isPutBack: Bool = false,
    hasReturned: Bool = false, keepsOldFiles: Bool = false
  ) -> (undo: [RestoreStep], tidy: [RestoreStep]) {
    switch phase {
    case .begun, .staged:
      ([], [.removeStagedFiles, .endJournal])
    case .refusingWrites:
      ([], [.acceptWrites, .removeStagedFiles, .endJournal])
    case .kept:
      ([.resumePersisting], [.acceptWrites, .removeStagedFiles, .removeKeptNames, .endJournal])
    case .swapped:
      // The old server still has all its data in memory and has acknowledged no write since.
      (
        (isPutBack ? [] : [.putOldFilesBack]) + [.resumePersisting],
        [.acceptWrites, .removeStagedFiles, .removeKeptNames, .endJournal]
      )
    case .served:
      (
        hasReturned
          ? [.awaitServer, .compareOldData]
          : (serverAnswers ? [.refuseWrites, .stopPersisting] : [])
            + [.putOldFilesBack, .restart, .awaitServer, .compareOldData],
        [.acceptWrites, .removeStagedFiles, .removeKeptNames, .endJournal]
      )
    case .committed:
      ([], [.acceptWrites, keepsOldFiles ? .removeOldNames : .removeOldFiles, .endJournal])
    }
  }

  private static func refuse(
    _ facts: RestoreFacts, _ candidate: RestoreCandidate, _ options: Options
  ) throws(RestoreRefusal) {
    let status = facts.status
    if let mode = status.mode, mode != .standalone { throw .mode(mode.rawValue) }
    if let role = status.role, role != .master { throw .notAMaster(role: role.rawValue) }
    if let count = status.connectedReplicas, count > 0 { throw .replicasConnected(count) }
    if !options.fromOtherSource { try candidate.requireSource(facts.identity) }
    try refuse(candidate.summary, facts)
    if let obstacle = facts.obstacles.first { throw .obstacle(obstacle) }
    try refuse(facts.nextStart, facts.settings, port: status.tcpPort)
    try facts.nextStart?.admit(facts.login)
    let need = neededByteCount(candidate.summary, facts, options)
    guard facts.freeByteCount >= need else {
      throw .noRoom(need: need, free: facts.freeByteCount)
    }
  }

  /// What must be free on the volume: for the backup, for a dump of the present data beside the one that
  /// is there, and for the append-only file when it is turned on again on the way back.
  ///
  /// - Parameter hasLinks: Whether the old files can be kept by a second name; else a copy of them is counted
  ///   and, of a file of one piece, one more for the way back.
  static func neededByteCount(
    _ summary: RDBSummary, _ facts: RestoreFacts, _ options: Options, hasLinks: Bool = true
  ) -> UInt64 {
    let savesPresentData = options.safetyBackup || !facts.settings.appendOnly
    let copies: UInt64 = (savesPresentData ? 1 : 0) + (facts.settings.appendOnly ? 1 : 0)
    let (present, isTooMuch) = presentDumpByteCount(facts).multipliedReportingOverflow(by: copies)
    let (need, isTooMuchInAll) = present.addingReportingOverflow(
      summary.byteCount + (1 << 20))
    guard !isTooMuch, !isTooMuchInAll else { return .max }
    guard !hasLinks else { return need }
    let kept = keptByteCount(facts)
    let (all, isTooMuchWithCopies) = need.addingReportingOverflow(
      RestoreLayout(facts.settings) == .multiPartAOF
        ? kept : kept.multipliedReportingOverflow(by: 2).partialValue)
    return isTooMuchWithCopies ? .max : all
  }

  /// The size of the old files that are kept.
  private static func keptByteCount(_ facts: RestoreFacts) -> UInt64 {
    // Both are sizes of files, far from the end of what can be counted.
    facts.settings.appendOnly
      ? UInt64(clamping: max(facts.status.aofByteCount ?? 0, 0)) : presentDumpByteCount(facts)
  }

  /// The most that a dump of the present data can take. The one on the volume is of any age: with the
  /// append-only file on or without save points it may be missing altogether.
  static func presentDumpByteCount(_ facts: RestoreFacts) -> UInt64 {
    let status = facts.status
    if !facts.settings.appendOnly, status.rdbChangesSinceLastSave == 0, facts.dumpByteCount > 0 {
      return facts.dumpByteCount
    }
    let bounds = [status.usedMemory, facts.settings.appendOnly ? status.aofByteCount : nil]
    let smallest = bounds.compactMap(\.self).filter { $0 > 0 }.min()
    return smallest.map { UInt64($0) } ?? facts.dumpByteCount
  }

  private static func refuse(
    _ summary: RDBSummary, _ facts: RestoreFacts
  ) throws(RestoreRefusal) {
    guard LoadableVersions(of: facts.status).include(summary) else {
      throw .versionTooNew(
        dump: "\(summary.format.rawValue) RDB version \(summary.version)",
        server: facts.status.productAndVersion)
    }
    let missing = summary.moduleNames.filter { name in
      !ModuleTypes.isLoadable(name, by: facts.status, modules: facts.modules)
    }
    guard missing.isEmpty else { throw .modulesMissing(missing) }
    let highest = summary.content.databases.map(\.index).max() ?? 0
    let next = facts.nextStart?.settings["databases"].flatMap { Int($0) }
    for count in [facts.settings.databases, next ?? facts.settings.databases]
    where highest >= UInt64(max(count, 1)) {
      throw .tooFewDatabases(needed: highest + 1, configured: count)
    }
  }

  /// Refuses a next start that reads other files than the running server, or answers elsewhere.
  static func refuse(
    _ next: NextStart?, _ settings: ServerSettings, port: Int?
  ) throws(RestoreRefusal) {
    guard let next else { return }
    var running = [
      (
        "appendonly", settings.appendOnly ? "yes" : "no",
        next.settings["appendonly"]?.lowercased() ?? "no"
      ),
      ("dbfilename", settings.dumpFileName, next.settings["dbfilename"] ?? "dump.rdb"),
      (
        "appendfilename", settings.appendFileName,
        next.settings["appendfilename"] ?? "appendonly.aof"
      ),
    ]
    // 0 is for TLS alone, and a shell or the kubelet may yet put something in place of another word.
    if let port, let next = next.settings["port"], let number = Int(next), number > 0 {
      running.append(("port", "\(port)", next))
    }
    if let name = settings.appendDirectoryName {
      running.append(("appenddirname", name, next.settings["appenddirname"] ?? "appendonlydir"))
    }
    if let directory = next.settings["dir"], directory.hasPrefix("/") {
      running.append(("dir", settings.directory, directory))
    }
    for (name, now, then) in running
    where now != then && (next.isComplete || next.settings[name] != nil) {
      throw .nextStartDiffers(setting: name, running: now, next: then)
    }
  }
}
