import ArchiveStore
import RedisClient
import Targets

// Both ways of a restore, and what becomes of one that fails.

extension RestoreBackup {
  /// Goes forward, and back when that fails. Up to the swap it can be cancelled; from then on the end
  /// is nearer than the beginning, and it is carried through.
  func forward(
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
  func leave(_ run: RestoreRun, because error: any Error) async -> any Error {
    if error is CancellationError { return error }
    if let error = error as? StartedAmidst { return BackupError.serverStartedAmidst(error.server) }
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
  func serve(_ stages: [RestoreMachine.Plan.Stage], _ run: RestoreRun) async throws {
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
  func finish(
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

  func back(
    _ run: RestoreRun, plan: RestorePlan, because error: (any Error)?
  ) async throws -> RestoreResult {
    report(.began("bringing the old data back"))
    var result = await RestoreResult(.rolledBack, plan: plan, run: run)
    if let error {
      result.failure = .restoreFailed(
        cause: error, isByFiles: await run.worksByFiles, session: session)
    }
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

  func recordStart(of journal: RestoreJournal) throws {
    try RestoreLog(directory).append(
      .started, journal, source: session.target.source)
  }

  /// Writes in the log how a restore ended. What is served does not depend on it, so that a log which
  /// cannot be written is only a warning.
  func record(_ event: RestoreLog.Event, _ journal: RestoreJournal) {
    do {
      try RestoreLog(directory).append(
        event, journal, source: session.target.source)
    } catch {
      report(.warning("the end of the restore could not be logged: \(error)"))
    }
  }
}

/// Runs a body to its end even when the task that waits for it is cancelled.
func uncancelled(_ body: @escaping @Sendable () async throws -> Void) async throws {
  try await Task { try await body() }.value
}
