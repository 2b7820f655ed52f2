import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations
import RDBFormat
import Workers

/// Shows what is inside an archive.
struct Inspect: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Show what is inside: databases, types, streams with groups, largest keys.")

  @Argument(help: "A path, a name, or \"latest\".")
  var archive: String

  @Flag(help: "Print one line of JSON for each key instead.")
  var keys = false

  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var output: OutputOptions

  var clientKeyFile: String? { clientKey.key }

  func run() async throws {
    let progress = ProgressLine(output)
    defer { progress.clear() }
    let entry = try archives.find(archive, of: server.settings(key: clientKey.key).identity)
    let lines = keys ? KeyLines() : nil
    let inspect = InspectArchive(workers: try Workers(), report: progress.report)
    let (summary, dumpDigest) = try await inspect.run(entry, now: Date(), onKey: lines?.take)
    progress.clear()
    if let lines {
      try lines.finish()
    } else if output.json {
      try Output.standard.write(
        json: InspectDocument(
          path: entry.path, rdb: Manifest.RDB(summary, sha256: dumpDigest),
          content: summary.content, largestKeys: summary.largestKeys))
    } else {
      Output.standard.write(InspectText.text(entry.path, summary))
    }
  }
}

/// The document of `inspect --json`.
struct InspectDocument: Encodable {
  let schemaVersion = 1
  let path: String
  let rdb: Manifest.RDB
  let content: RDBContent
  let largestKeys: [LargestKey]

  enum CodingKeys: String, CodingKey {
    case path, rdb, content
    case schemaVersion = "schema_version"
    case largestKeys = "largest_keys"
  }
}
