import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations
import RDBFormat

/// Lists the archives.
struct List: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the archives, newest first.")

  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var output: OutputOptions

  var clientKeyFile: String? { clientKey.key }

  func run() async throws {
    let now = Date()
    let entries = try translatingErrors {
      try archives.archiveDirectory().archives().filter { entry in
        guard let source = archives.sourceName else { return true }
        return entry.source == nil || entry.source == source
      }
    }
    if output.json {
      return try Output.standard.write(
        json: ListDocument(archives: entries.map { ListDocument.Archive($0, now: now) }))
    }
    guard !entries.isEmpty else {
      Output.error.write("no archives in \(archives.archiveDirectory().path)\n")
      return
    }
    let severalSources = Set(entries.compactMap(\.source)).count > 1
    let headings = ["NAME", "AGE", "KEYS", "RDB", "ARCHIVE", "STATE"]
    let rows = entries.map { entry in
      let manifest = entry.manifest
      return [
        entry.name?.description ?? entry.path,
        entry.name.map { Self.age(now.timeIntervalSince($0.date)) } ?? "",
        manifest.map { "\($0.content.keys)" } ?? "?",
        manifest.map { Figures.bytes($0.rdb.bytes) } ?? "?",
        Figures.bytes(entry.byteCount),
        entry.state.rawValue + (entry.isSafetyBackup ? " (before a restore)" : ""),
      ] + (severalSources ? [entry.source ?? "?"] : [])
    }
    Output.standard.write(Table.text(headings + (severalSources ? ["SOURCE"] : []), rows))
  }

  private static func age(_ seconds: Double) -> String {
    // Hosts that share a directory never agree to the second.
    seconds < -60 ? "in the future" : Figures.duration(seconds)
  }
}

/// The document of `list --json`.
struct ListDocument: Encodable {
  /// One archive: its manifest, where there is one, and what is known of the file.
  struct Archive: Encodable {
    let name: String?
    let path: String
    let state: ArchiveEntry.State
    let ageSeconds: Int
    let manifest: Manifest?

    enum CodingKeys: String, CodingKey {
      case name, path, state
      case ageSeconds = "age_seconds"
    }

    init(_ entry: ArchiveEntry, now: Date) {
      name = entry.name?.description
      path = entry.path
      state = entry.state
      ageSeconds = entry.name.map { Int(now.timeIntervalSince($0.date)) } ?? 0
      manifest = entry.manifest
    }

    func encode(to encoder: any Encoder) throws {
      try manifest?.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(path, forKey: .path)
      try container.encode(state, forKey: .state)
      try container.encode(ageSeconds, forKey: .ageSeconds)
    }
  }

  let schemaVersion = 1
  let archives: [Archive]

  enum CodingKeys: String, CodingKey {
    case archives
    case schemaVersion = "schema_version"
  }
}
