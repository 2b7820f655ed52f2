import Operations
import RDBFormat

/// Plans and results of a restore for people.
enum RestoreText {
  private static let listedCount = 20

  /// - Parameters:
  ///   - verbose: Whether the ways back are told too.
  ///   - listsPending: Whether the jobs that were in flight are listed.
  static func show(
    _ plan: RestorePlan, verbose: Bool, listsPending: Bool, on output: Output
  ) {
    var text = plan.summary.joined(separator: "\n") + "\n\n"
    for (number, line) in zip(1..., plan.lines) {
      text += "\(number < 10 ? " " : "")\(number). \(line.description)\n"
    }
    if verbose {
      for way in plan.waysBack {
        let steps = way.steps.map(\.description).joined(separator: "; ")
        text += "\nIf it fails when \(way.phase.replacing("_", with: " ")): \(steps)"
      }
      text += "\n"
    }
    if !plan.risks.isEmpty {
      text += "\nNote:\n" + plan.risks.map { "  - \($0.message)\n" }.joined()
    }
    if listsPending, let pending = plan.pending { text += "\n" + table(pending) }
    output.write(text + "\n")
  }

  /// The jobs that were in flight, those first that would be done twice.
  private static func table(_ pending: PendingReport) -> String {
    guard pending.total > 0 else { return "No entry was pending when the backup was written.\n" }
    let states: [PendingReport.State] = [.acknowledged, .unknown, .pending]
    let jobs = states.flatMap { state in pending.jobs.lazy.filter { $0.state == state } }
    let rows = jobs.prefix(listedCount).map { job in
      [
        job.state.rawValue, "\(job.database)", Shown.name(job.stream), Shown.name(job.group),
        job.entry.consumer.map { Shown.name($0) } ?? "none", "\(job.entry.id)",
        "\(job.entry.deliveries)", job.idleSeconds.map { Figures.duration($0) } ?? "unknown",
      ]
    }
    let headings = ["SINCE THEN", "DB", "STREAM", "GROUP", "CONSUMER", "ID", "DELIVERIES", "IDLE"]
    let left = pending.total - UInt64(rows.count)
    return "Pending when the backup was written:\n" + Table.text(headings, rows)
      + (left > 0 ? "and \(left) more; --json lists up to \(pending.jobs.count)\n" : "")
  }

  /// - Parameter listsPending: Whether the jobs that were in flight are listed.
  static func show(_ result: RestoreResult, listsPending: Bool) {
    var lines: [String] = []
    switch result.outcome {
    case .restored: lines.append("restored: the backup's data is served and was compared")
    case .rolledBack where result.isByFiles:
      lines.append("rolled back: the old files are back, and the server is as it was before")
    case .rolledBack: lines.append("rolled back: the old data is served")
    case .rollbackFailed: lines.append("not rolled back: the old data is not served")
    case .dryRun: break
    }
    if let comparison = result.comparison {
      let keys = comparison.databases.map(\.foundKeys).reduce(0, +)
      lines.append(
        "  \(Figures.count(keys, "key")) in "
          + "\(Figures.count(UInt64(comparison.databases.count), "database")), "
          + "\(comparison.streamsCompared) of "
          + "\(Figures.count(comparison.streamsTotal, "stream")) compared with groups, "
          + "consumers and pending entries")
      if comparison.keysExpired > 0 {
        let expired = Figures.count(comparison.keysExpired, "key has", "keys have")
        lines.append("  \(expired) expired meanwhile")
      }
    }
    if let span = result.writesRefusedSeconds {
      lines.append("  writes were refused for \(Figures.duration(span))")
    }
    if let path = result.safetyBackup { lines.append("  the data before is in \(path)") }
    if let path = result.oldFiles { lines.append("  the old files are in \(path) on its volume") }
    var text = lines.joined(separator: "\n") + "\n"
    if listsPending, result.outcome == .restored, let pending = result.plan.pending {
      text += "\n" + table(pending)
    }
    Output.standard.write(text)
  }
}
