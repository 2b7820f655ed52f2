import RDBFormat
import RedisClient

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

  /// What is restored, and where.
  public let summary: [String]
  /// What the user should weigh.
  public let risks: [String]
  /// The steps in their order.
  public let lines: [Line]

  /// The plan of a new restore.
  init(
    _ steps: [RestoreStep], candidate: RestoreCandidate, facts: RestoreFacts, files: RestoreFiles,
    neededByteCount: UInt64
  ) {
    let content = candidate.summary.content
    let present = facts.status.keyspace.map(\.keys).reduce(0, +)
    let names = Sentences.Names(
      live: files.live, kept: files.kept, staged: files.stagedDump, archive: candidate.name)
    lines = steps.map { Line(step: $0, names: names) }
    summary = [
      "restore \(candidate.path)",
      "\(content.keys) keys and \(content.streamsTotal) streams, "
        + "\(candidate.summary.byteCount) bytes, written \(Sentences.time(candidate.summary.aux["ctime"]))",
      "into \(facts.identity), which holds \(present) keys now "
        + "(\(facts.status.productAndVersion), \(files.layout.words))",
      "at most \(Figures.bytes(neededByteCount)) are needed on its volume, "
        + "\(Figures.bytes(facts.freeByteCount)) are free",
    ]
    risks = Sentences.risks(candidate, facts)
  }

  /// The plan for a restore that was interrupted.
  init(_ steps: [RestoreStep], unfinished journal: RestoreJournal) {
    let names = Sentences.Names(
      live: journal.files.live, kept: journal.files.kept, staged: journal.files.stagedDump,
      archive: journal.archive.name)
    lines = steps.map { Line(step: $0, names: names) }
    let direction =
      steps.contains(.compareData) || steps.contains(.removeOldFiles) ? "finish" : "undo"
    summary = ["\(direction) the unfinished restore of \(journal.archive.name)"]
    risks = []
  }
}
