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
    if output.json {
      return ListDocument.write(try find { try ListDocument.Archive($0, now: now).text() })
    }
    let rows = try find { Self.row($0, now: now) }
    guard !rows.isEmpty else {
      Output.error.write("no archives in \(archives.archiveDirectory().path)\n")
      return
    }
    let severalSources = Set(rows.compactMap(\.source)).count > 1
    let headings = ["NAME", "AGE", "KEYS", "RDB", "ARCHIVE", "STATE"]
    Output.standard.write(
      Table.text(
        headings + (severalSources ? ["SOURCE"] : []),
        rows.map { $0.cells + (severalSources ? [$0.source ?? "?"] : []) }))
  }

  /// What is shown of each archive of the Redis that is asked for.
  private func find<Shown: Sendable>(
    _ shown: @Sendable (ArchiveEntry) throws -> Shown
  ) throws -> [Shown] {
    let source = archives.sourceName
    return try translatingErrors {
      try archives.archiveDirectory().archives { entry in
        source == nil || entry.source == nil || entry.source == source ? try shown(entry) : nil
      }
    }
  }

  private static func row(
    _ entry: ArchiveEntry, now: Date
  ) -> (cells: [String], source: String?) {
    let manifest = entry.manifest
    let cells = [
      entry.name?.description ?? entry.path,
      entry.name.map { age(now.timeIntervalSince($0.date)) } ?? "",
      manifest.map { "\($0.content.keys)" } ?? "?",
      manifest.map { Figures.bytes($0.rdb.bytes) } ?? "?",
      Figures.bytes(entry.byteCount),
      entry.state.rawValue + (entry.isSafetyBackup ? " (before a restore)" : ""),
    ]
    return (cells, entry.source)
  }

  private static func age(_ seconds: Double) -> String {
    // Hosts that share a directory never agree to the second.
    seconds < -60 ? "in the future" : Figures.duration(seconds)
  }
}

/// The document of `list --json`.
enum ListDocument {
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

    /// The archive as it stands in the document.
    func text() throws -> [UInt8] {
      var text: [UInt8] = []
      for line in Array(try JSON.encoder().encode(self)).split(separator: UInt8(ascii: "\n")) {
        text += (text.isEmpty ? "    " : "\n    ").utf8
        text += line
      }
      return text
    }
  }

  /// Writes it, an archive at a time: those of many nights make a long document.
  static func write(_ archives: [[UInt8]]) {
    Output.standard.write("{\n  \"archives\" : [\n")
    for (index, archive) in archives.enumerated() {
      Output.standard.write(Array((index == 0 ? "" : ",\n").utf8) + archive)
    }
    Output.standard.write("\n  ],\n  \"schema_version\" : 1\n}\n")
  }
}
