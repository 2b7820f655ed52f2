import RDBFormat
import RedisClient
import Targets

/// What a restore is about to do, for a person and for a program.
public struct RestorePlan: Sendable, Equatable {
  /// One step.
  public struct Line: Codable, Sendable, Equatable {
    /// The step.
    public let step: RestoreStep
    /// What it does, as a sentence without a full stop.
    public let description: String
    /// How it is undone.
    public let undo: String
  }

  /// The steps that bring the old data back when a restore fails in a phase.
  public struct WayBack: Encodable, Sendable, Equatable {
    /// One step.
    public struct Step: Encodable, Sendable, Equatable {
      /// The step.
      public let step: RestoreStep
      /// What it does, as a sentence without a full stop.
      public let description: String
    }

    /// The phase, for programs.
    public let phase: String
    /// The steps in their order.
    public let steps: [Step]

    init(_ phase: RestorePhase, _ steps: [RestoreStep], names: Sentences.Names) {
      self.phase = phase.word
      self.steps = steps.map {
        Step(step: $0, description: Line(step: $0, names: names).description)
      }
    }

    static func all(_ names: Sentences.Names) -> [WayBack] {
      RestorePhase.allCases.filter { $0 != .committed }.map { phase in
        let way = RestoreMachine.rollback(from: phase)
        return WayBack(phase, way.undo + way.tidy, names: names)
      }
    }
  }

  /// What is restored, and where.
  public let summary: [String]
  /// What the user should weigh.
  public let risks: [RestoreRisk]
  /// The figures behind it; nil for a restore that was interrupted.
  public let figures: RestoreFigures?
  /// The jobs that were in flight when the backup was written; nil where the archive is not known.
  public let pending: PendingReport?
  /// The steps in their order.
  public let lines: [Line]
  /// The way back from each phase, in their order.
  public let waysBack: [WayBack]

  init(
    summary: [String], risks: [RestoreRisk], lines: [Line], pending: PendingReport?,
    waysBack: [WayBack]
  ) {
    self.summary = summary
    self.risks = risks
    figures = nil
    self.pending = pending
    self.lines = lines
    self.waysBack = waysBack
  }

  /// The plan of a new restore.
  init(
    _ steps: [RestoreStep], candidate: RestoreCandidate, facts: RestoreFacts, files: RestoreFiles,
    options: RestoreMachine.Options
  ) {
    let content = candidate.summary.content
    let figures = RestoreFigures(candidate, facts, options)
    let pending = PendingReport(candidate, facts.present)
    var names = Sentences.Names(
      live: files.live, kept: files.kept, staged: files.stagedDump, archive: candidate.name)
    if facts.isInCluster { names.restart = options.restart.words }
    lines = steps.map { Line(step: $0, names: names) }
    summary = [
      "restore \(candidate.path)",
      "\(Figures.count(content.keys, "key")) and \(Figures.count(content.streamsTotal, "stream")), "
        + "\(Figures.count(candidate.summary.byteCount, "byte")), written \(Sentences.time(candidate.summary.aux["ctime"]))",
      "into \(facts.identity), which holds \(Figures.count(figures.keysNow, "key")) now "
        + "(\(facts.status.productAndVersion), \(files.layout.words))",
      "at most \(Figures.bytes(figures.diskNeededBytes)) are needed on its volume, "
        + "\(Figures.bytes(figures.diskFreeBytes)) are free",
      Sentences.memory(figures),
    ]
    risks = RestoreRisk.all(candidate, facts, figures, pending, options)
    self.figures = figures
    self.pending = pending
    waysBack = WayBack.all(names)
  }

  /// The plan for a restore that was interrupted.
  ///
  /// - Parameter candidate: What is restored; nil where the way leads back only.
  init(
    _ steps: [RestoreStep], unfinished journal: RestoreJournal, candidate: RestoreCandidate?
  ) {
    var names = Sentences.Names(
      live: journal.files.live, kept: journal.files.kept, staged: journal.files.stagedDump,
      archive: journal.archive.name)
    if let restart = journal.restart { names.restart = restart.words }
    lines = steps.map { Line(step: $0, names: names) }
    let direction =
      [.compareData, .removeOldFiles, .removeOldNames].contains(where: steps.contains)
      ? "finish" : "undo"
    summary = ["\(direction) the unfinished restore of \(journal.archive.name)"]
    risks = []
    figures = nil
    pending = candidate.map { PendingReport($0, nil) }
    waysBack = WayBack.all(names)
  }
}
