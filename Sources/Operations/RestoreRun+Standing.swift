import RedisClient

// Where a restore stands, and what leads back from there.

extension RestoreRun {
  /// Where the restore really stands, and whether there is a server to talk to.
  func standing() async throws -> (phase: RestorePhase, serverAnswers: Bool) {
    let entered = journal.phase
    guard entered >= .kept, entered != .committed else { return (entered, true) }
    var runID: String?
    var used: RestoreLayout?
    do {
      let (status, settings) = try await session.withConnection { connection in
        (try await connection.status(), try await ServerSettings.read(from: connection))
      }
      runID = status.runID
      presentProcessID = status.processID.map(Int.init)
      used = RestoreLayout(settings)
    } catch  where error.isUnreachable {
      // Then what every next start may read tells.
    }
    presentRunID = runID
    if worksByFiles, used == nil { return (entered, false) }
    // Where no server runs, nothing may reach the files by now.
    let isPending = entered == .swapped || used != nil ? try await isPending(used) : false
    let phase = RestoreMachine.phase(
      entered: entered, replacementIsThere: isPending, isOldProcess: runID == journal.runID)
    return (phase, used != nil)
  }

  /// Whether the server does not run, or did not when this restore began.
  var worksByFiles: Bool { journal.isByFiles || held != nil }

  /// Whether the server has been started since the old files were put back.
  var hasReturned: Bool {
    guard journal.direction == .back, let presentRunID, let returned = journal.returnedRunID
    else { return false }
    return presentRunID != returned
  }

  /// The way back from where the restore stands.
  func wayBack(
    from phase: RestorePhase, serverAnswers: Bool
  ) -> (undo: [RestoreStep], tidy: [RestoreStep]) {
    let isPutBack = journal.returnedRunID != nil && journal.direction == .back
    guard !worksByFiles else {
      return RestoreMachine.rollbackByFiles(
        from: phase, serverAnswers: serverAnswers, isPutBack: isPutBack,
        keepsOldFiles: journal.keepsOldFiles == true)
    }
    return RestoreMachine.rollback(
      from: phase, serverAnswers: serverAnswers, isPutBack: isPutBack, hasReturned: hasReturned,
      keepsOldFiles: journal.keepsOldFiles == true)
  }
}
