// What is done by the files of a server that does not run.

extension RestoreMachine {
  /// The stages of a restore without a server to talk to.
  ///
  /// No safety backup can be taken of it: the old files stay, unless they are not wanted.
  static func stagesByFiles(keepsOldFiles: Bool) -> [Plan.Stage] {
    [
      Plan.Stage(phase: .begun, steps: [.holdServer, .beginJournal]),
      Plan.Stage(phase: .staged, steps: [.stageBackup, .compareDigest]),
      Plan.Stage(phase: .kept, steps: [.keepOldFiles]),
      Plan.Stage(phase: .swapped, steps: [.swapFiles]),
      Plan.Stage(phase: .served, steps: [.startServer, .awaitServer, .compareData]),
      Plan.Stage(phase: .committed, steps: endByFiles(keepsOldFiles: keepsOldFiles)),
    ]
  }

  /// What is still to be done when a restore is taken up after its swap, of a server that does not run.
  static func resumptionByFiles(at phase: RestorePhase, keepsOldFiles: Bool) -> [Plan.Stage] {
    let stages = stagesByFiles(keepsOldFiles: keepsOldFiles)
    guard phase == .committed else { return stages.filter { $0.phase >= .served } }
    return [
      Plan.Stage(
        phase: .committed,
        steps: [.startServer, .awaitServer] + endByFiles(keepsOldFiles: keepsOldFiles))
    ]
  }

  /// The way back, from whatever was begun with a server or without one.
  ///
  /// - Parameters:
  ///   - serverAnswers: Whether somebody has started the server meanwhile.
  ///   - isPutBack: Whether the old files are back already: what a server may have written to them since would be
  ///     lost.
  static func rollbackByFiles(
    from phase: RestorePhase, serverAnswers: Bool, isPutBack: Bool, keepsOldFiles: Bool
  ) -> (undo: [RestoreStep], tidy: [RestoreStep]) {
    let tidy: [RestoreStep] = [
      .removeStagedFiles, .removeKeptNames, .endJournal, .releaseServer,
    ]
    return switch phase {
    case .begun, .staged, .refusingWrites: ([], tidy)
    // It has loaded its old files; others, which it does not read, may have been replaced.
    case .kept where serverAnswers, .swapped where serverAnswers: ([.dropUnusedFiles], tidy)
    // Whoever has started it since has written to the old files.
    case .kept: ([], tidy)
    case .swapped: (isPutBack ? [] : [.putOldFilesBack], tidy)
    case .served: (isPutBack ? [] : [.holdServer, .putOldFilesBack], tidy)
    case .committed: ([], endByFiles(keepsOldFiles: keepsOldFiles))
    }
  }

  private static func endByFiles(keepsOldFiles: Bool) -> [RestoreStep] {
    [
      .acceptWrites, .dropUnusedFiles, keepsOldFiles ? .removeOldNames : .removeOldFiles,
      .endJournal, .releaseServer,
    ]
  }
}
