import ArchiveStore
import FoundationEssentials
import RedisClient
import Targets

// The steps that talk to the server.

extension RestoreRun {
  func refuseWrites(_ connection: ServerConnection) async throws {
    if refusedSince == nil { refusedSince = ContinuousClock.now }
    try await refuse(connection, maxLag: journal.settings.minReplicasMaxLag)
    // On the way back it is the backup that is served.
    guard journal.direction == .forward else { return }
    journal.oldKeyspace = try await connection.status().keyspace.map {
      RestoreJournal.Keyspace(
        index: $0.index, keys: UInt64(clamping: $0.keys), expires: UInt64(clamping: $0.expires))
    }
    try await journal.write(to: volume)
  }

  /// Has every write refused, and waits until the server has loaded where it still loads.
  func refuse(_ connection: ServerConnection, maxLag: String?) async throws {
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

  func acceptWrites(_ connection: ServerConnection) async throws {
    let fresh = freshSettings
    try await connection.set(
      "min-replicas-max-lag", to: fresh?.maxLag ?? journal.settings.minReplicasMaxLag)
    try await connection.set(
      "min-replicas-to-write", to: fresh?.minReplicas ?? journal.settings.minReplicasToWrite)
    writesRefused = refusedSince.map { ContinuousClock.now - $0 }
  }

  func takeSafetyBackup(_ connection: ServerConnection) async throws {
    guard let lock else { throw BackupError.internalError("no directory for the safety backup") }
    var options = CreateBackup.Options()
    options.tags = [Manifest.safetyTag: journal.archive.name]
    options.force = true
    let backup = try await CreateBackup(
      session: session, workers: workers, options: options, report: report
    ).run(on: connection, into: lock, now: Date())
    journal.safetyBackup = backup.path
  }

  func stopPersisting(_ connection: ServerConnection) async throws {
    if journal.settings.appendOnly { try await connection.set("appendonly", to: "no") }
    try await connection.set("save", to: "")
    try await waitUntilQuiet(connection)
  }

  func resumePersisting(_ connection: ServerConnection) async throws {
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
  func waitUntilQuiet(_ connection: ServerConnection) async throws {
    try await poll(connection) { status in
      status.rdbSaveInProgress != true && status.aofRewriteInProgress != true
        && status.aofRewriteScheduled != true
    }
    if journal.settings.appendOnly, try await connection.status().aofEnabled == true {
      throw BackupError.appendOnlyTurnedOnAgain()
    }
  }

  func compareData(_ connection: ServerConnection) async throws {
    guard let candidate else { throw BackupError.internalError("nothing to compare with") }
    if worksByFiles { try await requireBackupIsRead(connection) }
    let result = try await DataComparison(
      expected: candidate.summary, othersWrote: servedOthers
    ).run(on: connection)
    comparison = result
    guard result.differences.isEmpty || (servedOthers && insists) else {
      throw DataDiffers(differences: result.differences)
    }
  }

  func compareOldData(_ connection: ServerConnection) async throws {
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
