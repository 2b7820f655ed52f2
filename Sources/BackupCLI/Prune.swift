import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations

/// Removes old archives.
struct Prune: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "prune",
    abstract: "Remove the archives that a policy does not keep, each Redis by itself.",
    discussion: """
      Only verified archives count, and the newest of each Redis always stays. What is not verified, \
      pinned, or of a newer version is never removed. The rules are those of restic's forget, in UTC.
      """)

  @Flag(help: "Show what would happen, and change nothing.")
  var dryRun = false

  @OptionGroup var retention: RetentionOptions
  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var locking: LockOptions
  @OptionGroup var metrics: MetricsOptions
  @OptionGroup var output: OutputOptions

  var clientKeyFile: String? { clientKey.key }

  func run() async throws {
    let progress = ProgressLine(output)
    defer { progress.clear() }
    let operation = PruneArchives(policy: try retention.policy(), source: archives.sourceName)
    try operation.check(archives.archiveDirectory())
    let decisions: [RetentionDecision]
    if dryRun {
      decisions = try operation.plan(in: archives.archiveDirectory(), now: Date())
    } else {
      let lock = try await locking.take(archives, for: "prune", report: progress.report)
      decisions = try operation.run(in: lock, now: Date())
    }
    progress.clear()
    metrics.update(archives)
    for warning in PruneText.warnings(decisions) { progress.report(.warning(warning)) }
    if output.json {
      return try Output.standard.write(json: PruneDocument(decisions))
    }
    guard dryRun || output.isWatched else { return }
    Output.standard.write(PruneText.table(decisions, dryRun: dryRun, now: Date()))
  }
}

/// The document of `prune --json`.
struct PruneDocument: Encodable {
  /// An archive that stays.
  struct Kept: Encodable {
    let name: String
    let reasons: [RetentionDecision.KeepReason]
  }

  /// An archive that went.
  struct Removed: Encodable {
    let name: String
    let reason: RetentionDecision.RemoveReason
  }

  let schemaVersion = 1
  let kept: [Kept]
  let removed: [Removed]

  enum CodingKeys: String, CodingKey {
    case kept, removed
    case schemaVersion = "schema_version"
  }

  init(_ decisions: [RetentionDecision]) {
    kept = decisions.filter { !$0.removes }
      .map { Kept(name: $0.archive.name.description, reasons: $0.keepReasons) }
    removed = decisions.compactMap { decision in
      guard case .remove(let reason) = decision.verdict else { return nil }
      return Removed(name: decision.archive.name.description, reason: reason)
    }
  }
}
