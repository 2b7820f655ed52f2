import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations
import RDBFormat
import Workers

/// Proves archives again.
struct Verify: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Prove archives again: unpack, parse to the last byte, compare with the manifest.")

  @Argument(help: "Paths, names, or \"latest\" (default: latest).")
  var references: [String] = []

  @Flag(help: "Verify every archive in the directory.")
  var all = false

  @Flag(help: "Compare the digest of the file only.")
  var quick = false

  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var metrics: MetricsOptions
  @OptionGroup var output: OutputOptions

  var clientKeyFile: String? { clientKey.key }

  func validate() throws {
    if all && !references.isEmpty { throw ValidationError("--all goes without ARCHIVE") }
  }

  func run() async throws {
    let progress = ProgressLine(output)
    defer { progress.clear() }
    let operation = VerifyArchive(workers: try Workers(), report: progress.report)
    var results: [VerifyArchive.Result] = []
    // What keeps one archive from being read or recorded keeps no verdict from being told.
    var failures: [BackupError] = []
    for entry in try entries() {
      let now = Date()
      let result: VerifyArchive.Result
      do {
        result =
          quick
          ? try await operation.runQuick(entry, now: now)
          : try await operation.run(entry, now: now)
      } catch let error as BackupError {
        failures.append(error)
        continue
      }
      results.append(result)
      progress.clear()
      if !output.json, !output.quiet || result.verdict == .damaged { show(result) }
      guard !quick || result.verdict == .damaged else { continue }
      do {
        try operation.record(
          result, now: now, holder: DirectoryOptions.holder("verify", now: now))
      } catch let error as BackupError {
        failures.append(error)
      }
    }
    metrics.update(archives)
    try end(results, failures, progress)
  }

  /// Prints what `--json` asks for, and ends with the code of the worst.
  private func end(
    _ results: [VerifyArchive.Result], _ failures: [BackupError], _ progress: ProgressLine
  ) throws {
    let isDamaged = results.contains { $0.verdict == .damaged }
    var failures = failures
    // Of several the last is told as an error, where there is no verdict that is worse.
    let last = isDamaged ? nil : failures.popLast()
    for failure in failures { progress.report(.warning(failure.factAndCause)) }
    if let last { throw last }
    if output.json {
      try Output.standard.write(
        json: VerifyDocument(archives: results.map(VerifyDocument.Archive.init)))
    }
    if isDamaged { throw ExitStatus.damaged }
  }

  private func entries() throws -> [ArchiveEntry] {
    if all {
      let entries = try translatingErrors {
        let directory = archives.archiveDirectory()
        return try archives.sourceName.map(directory.archives(of:)) ?? directory.archives()
      }
      guard !entries.isEmpty else {
        throw BackupError(
          storing: DirectoryError.noWholeArchive(directory: archives.archiveDirectory().path))
      }
      return entries
    }
    return try (references.isEmpty ? ["latest"] : references).map { reference in
      try archives.find(
        reference, of: server.settings(key: clientKeyFile, readsPasswordFile: false).identity)
    }
  }

  private func show(_ result: VerifyArchive.Result) {
    var text = "\(result.entry.path): \(result.verdict.words)"
    if let summary = result.summary {
      text +=
        ", \(Figures.count(summary.content.keys, "key")), "
        + Figures.count(summary.content.streamsTotal, "stream")
    }
    text += "\n"
    for finding in result.findings.prefix(Self.listedFindings) {
      text += "  \(finding.kind): \(finding.message)\n"
    }
    let rest = result.findings.count - Self.listedFindings
    if rest > 0 { text += "  … and \(rest) more (--json lists them)\n" }
    Output.standard.write(text)
  }

  private static let listedFindings = 20
}

/// The document of `verify --json`.
struct VerifyDocument: Encodable {
  /// One archive.
  struct Archive: Encodable {
    let path: String
    let verdict: Verdict
    let findings: [Finding]

    init(_ result: VerifyArchive.Result) {
      path = result.entry.path
      verdict = result.verdict
      findings = result.findings
    }
  }

  let schemaVersion = 1
  let archives: [Archive]

  enum CodingKeys: String, CodingKey {
    case archives
    case schemaVersion = "schema_version"
  }
}
