import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations

/// Keeps archives whatever a policy says.
struct Pin: PinCommand {
  static let configuration = CommandConfiguration(
    commandName: "pin",
    abstract: "Keep archives whatever a retention policy says.")
  static let pins = true

  @OptionGroup var pinning: PinOptions
}

/// Leaves archives to the policy again.
struct Unpin: PinCommand {
  static let configuration = CommandConfiguration(
    commandName: "unpin",
    abstract: "Leave archives to the retention policy again.")
  static let pins = false

  @OptionGroup var pinning: PinOptions
}

/// A command that changes what retention may do with archives.
protocol PinCommand: BackupCommand {
  /// Whether it keeps them.
  static var pins: Bool { get }
  var pinning: PinOptions { get }
}

extension PinCommand {
  var server: ServerOptions { pinning.server }
  var archives: DirectoryOptions { pinning.archives }
  var clientKeyFile: String? { pinning.clientKey.key }

  func run() async throws {
    let progress = ProgressLine(pinning.output)
    let entries = try pinning.entries(of: self)
    let lock = try await pinning.locking.take(
      archives, for: Self._commandName, report: progress.report)
    progress.clear()
    try pinning.record(Self.pins, on: entries, in: lock)
  }
}

/// What `pin` and `unpin` share.
struct PinOptions: ParsableArguments, Sendable {
  @Argument(help: "Names, or \"latest\".")
  var references: [String]

  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var locking: LockOptions
  @OptionGroup var output: OutputOptions

  /// The archives that are meant, all of the directory.
  func entries(of command: some BackupCommand) throws -> [ArchiveEntry] {
    try references.map { reference in
      let entry = try command.archives.find(
        reference,
        of: command.server.settings(
          key: command.clientKeyFile, readsPasswordFile: false
        ).identity)
      guard entry.directory?.path == command.archives.archiveDirectory().path else {
        throw BackupError.cannotPinElsewhere(entry.path)
      }
      return entry
    }
  }

  /// Writes it in the manifests.
  func record(_ pinned: Bool, on entries: [ArchiveEntry], in lock: DirectoryLock) throws {
    for entry in entries {
      guard try translatingErrors({ try lock.pin(entry, pinned) }) else {
        throw BackupError.cannotPin(entry)
      }
      if !output.json, !output.quiet {
        Output.standard.write("\(entry.path): \(pinned ? "pinned" : "not pinned")\n")
      }
    }
    if output.json {
      try Output.standard.write(
        json: PinDocument(
          archives: entries.map { PinDocument.Archive(path: $0.path, pinned: pinned) }))
    }
  }
}

/// The document of `pin --json` and `unpin --json`.
struct PinDocument: Encodable {
  /// One archive.
  struct Archive: Encodable {
    let path: String
    let pinned: Bool
  }

  let schemaVersion = 1
  let archives: [Archive]

  enum CodingKeys: String, CodingKey {
    case archives
    case schemaVersion = "schema_version"
  }
}
