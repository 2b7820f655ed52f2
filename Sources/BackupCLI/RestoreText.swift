import Operations

/// Plans and results of a restore for people.
enum RestoreText {
  static func show(_ plan: RestorePlan, on output: Output) {
    var text = plan.summary.joined(separator: "\n") + "\n\n"
    for (number, line) in zip(1..., plan.lines) {
      text += "\(number < 10 ? " " : "")\(number). \(line.description)\n"
    }
    if !plan.risks.isEmpty {
      text += "\nNote:\n" + plan.risks.map { "  - \($0)\n" }.joined()
    }
    output.write(text + "\n")
  }

  static func show(_ result: RestoreResult) {
    var lines: [String] = []
    switch result.outcome {
    case .restored: lines.append("restored: the backup's data is served and was compared")
    case .rolledBack: lines.append("rolled back: the old data is served")
    case .rollbackFailed: lines.append("not rolled back: the old data is not served")
    case .dryRun: break
    }
    if let comparison = result.comparison {
      let keys = comparison.databases.map(\.foundKeys).reduce(0, +)
      lines.append(
        "  \(keys) keys in \(comparison.databases.count) databases, "
          + "\(comparison.streamsCompared) of \(comparison.streamsTotal) streams compared with groups, "
          + "consumers and pending entries")
      if comparison.keysExpired > 0 {
        lines.append("  \(comparison.keysExpired) keys have expired meanwhile")
      }
    }
    if let span = result.writesRefusedSeconds {
      lines.append("  writes were refused for \(Figures.duration(span))")
    }
    if let path = result.safetyBackup { lines.append("  the data before is in \(path)") }
    Output.standard.write(lines.joined(separator: "\n") + "\n")
  }
}

/// The document of `restore --json`.
struct RestoreDocument: Encodable {
  let schemaVersion = 1
  let plan: [RestorePlan.Line]
  let result: String
  let comparison: RestoreComparison?
  let writesRefusedSeconds: Double?
  let safetyBackup: String?

  enum CodingKeys: String, CodingKey {
    case plan, result, comparison
    case schemaVersion = "schema_version"
    case writesRefusedSeconds = "writes_refused_seconds"
    case safetyBackup = "safety_backup"
  }

  init(_ result: RestoreResult) {
    plan = result.plan.lines
    self.result = result.outcome.rawValue
    comparison = result.comparison
    writesRefusedSeconds = result.writesRefusedSeconds
    safetyBackup = result.safetyBackup
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schemaVersion, forKey: .schemaVersion)
    try container.encode(plan, forKey: .plan)
    try container.encode(result, forKey: .result)
    try container.encode(comparison, forKey: .comparison)
    try container.encode(writesRefusedSeconds, forKey: .writesRefusedSeconds)
    try container.encode(safetyBackup, forKey: .safetyBackup)
  }
}
