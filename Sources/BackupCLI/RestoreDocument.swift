import Operations
import RDBFormat

/// The document of `restore --json`.
struct RestoreDocument: Encodable {
  let schemaVersion = 1
  let plan: [RestorePlan.Line]
  let waysBack: [RestorePlan.WayBack]
  let risks: [RestoreRisk]
  let figures: RestoreFigures?
  let pending: PendingDocument?
  let result: String
  let comparison: RestoreComparison?
  let writesRefusedSeconds: Double?
  let safetyBackup: String?
  let oldFiles: String?

  enum CodingKeys: String, CodingKey {
    case plan, risks, figures, pending, result, comparison
    case waysBack = "ways_back"
    case schemaVersion = "schema_version"
    case writesRefusedSeconds = "writes_refused_seconds"
    case safetyBackup = "safety_backup"
    case oldFiles = "old_files"
  }

  /// - Parameter listsPending: Whether the jobs that were in flight are listed.
  init(_ result: RestoreResult, listsPending: Bool) {
    plan = result.plan.lines
    waysBack = result.plan.waysBack
    risks = result.plan.risks
    figures = result.plan.figures
    pending = listsPending ? result.plan.pending.map { PendingDocument(report: $0) } : nil
    self.result = result.outcome.rawValue
    comparison = result.comparison
    writesRefusedSeconds = result.writesRefusedSeconds
    safetyBackup = result.safetyBackup
    oldFiles = result.oldFiles
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schemaVersion, forKey: .schemaVersion)
    try container.encode(plan, forKey: .plan)
    try container.encode(waysBack, forKey: .waysBack)
    try container.encode(risks, forKey: .risks)
    try container.encode(figures, forKey: .figures)
    try container.encode(pending, forKey: .pending)
    try container.encode(result, forKey: .result)
    try container.encode(comparison, forKey: .comparison)
    try container.encode(writesRefusedSeconds, forKey: .writesRefusedSeconds)
    try container.encode(safetyBackup, forKey: .safetyBackup)
    try container.encode(oldFiles, forKey: .oldFiles)
  }
}

/// The jobs that were in flight, in the document of `restore --pending report --json`.
struct PendingDocument: Encodable {
  private struct Entry: Encodable {
    let job: PendingReport.Job

    enum CodingKeys: String, CodingKey {
      case database, stream, group, consumer, id, deliveries, state
      case streamBase64 = "stream_base64"
      case groupBase64 = "group_base64"
      case consumerBase64 = "consumer_base64"
      case deliveredAt = "delivered_at"
      case idleSeconds = "idle_seconds"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(job.database, forKey: .database)
      try container.encodeBytes(job.stream, text: .stream, base64: .streamBase64)
      try container.encodeBytes(job.group, text: .group, base64: .groupBase64)
      if let consumer = job.entry.consumer {
        try container.encodeBytes(consumer, text: .consumer, base64: .consumerBase64)
      } else {
        try container.encodeNil(forKey: .consumer)
      }
      try container.encode(job.entry.id, forKey: .id)
      try container.encode(job.entry.deliveries, forKey: .deliveries)
      try container.encode(Shown.time(job.entry.deliveredAt), forKey: .deliveredAt)
      try container.encode(job.idleSeconds, forKey: .idleSeconds)
      try container.encode(job.state, forKey: .state)
    }
  }

  let report: PendingReport

  enum CodingKeys: String, CodingKey {
    case total, acknowledged, entries
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(report.total, forKey: .total)
    try container.encode(report.count(.acknowledged), forKey: .acknowledged)
    try container.encode(report.jobs.map { Entry(job: $0) }, forKey: .entries)
  }
}
