import ArchiveStore
import ArgumentParser
import Files
import FoundationEssentials
import Operations

/// Where the archives lie, and the settings.
struct DirectoryOptions: ParsableArguments, Sendable {
  @Option(
    help: "The directory with the archives (default: ~/.raibid/backups).", completion: .directory)
  var directory: String?

  @Option(
    help: ArgumentHelp(
      "Which Redis, where the directory holds several.", valueName: "namespace/pod|host:port"))
  var source: String?

  @Option(
    help: ArgumentHelp(
      "The file with settings (default: ~/.raibid/backup.json).", valueName: "file"),
    completion: .file())
  var config: String?

  /// The directory that is meant; nothing is looked at yet.
  func archiveDirectory(_ environment: Environment = .current) -> ArchiveDirectory {
    ArchiveDirectory(path: directory ?? environment.defaultDirectory)
  }

  /// Makes the directory where it is missing, and becomes its one writer.
  ///
  /// - Parameters:
  ///   - command: What other runs are told about this one.
  ///   - now: When it began.
  /// - Throws: `BackupError`.
  func lock(for command: String, now: Date) throws -> DirectoryLock {
    let directory = archiveDirectory()
    return try translatingErrors {
      try directory.make(makingParent: self.directory == nil)
      do {
        return try directory.lock(holder: Self.holder(command, now: now))
      } catch let error as FileError {
        throw BackupError(using: directory.path, error)
      }
    }
  }

  /// What other runs are told about this one while it holds the lock.
  static func holder(_ command: String, now: Date) -> String {
    "pid \(ProcessInfo.processInfo.processIdentifier), \(Tool.name) \(command), "
      + "since \(now.formatted(.iso8601))"
  }

  /// The options as they were given, for commands that are proposed.
  var words: [String] {
    let options = [("directory", directory), ("source", source), ("config", config)]
    return Settings.current.typedWords(options)
  }

  /// The archive that a user means.
  ///
  /// - Parameter identity: The Redis that the command is about; where nothing else says which one
  ///   `latest` is of, it is of that one, if there is an archive of it.
  /// - Throws: `BackupError`.
  func find(_ reference: String, of identity: @autoclosure () throws -> String?) throws
    -> ArchiveEntry
  {
    let directory = archiveDirectory()
    return try translatingErrors {
      guard reference == "latest", sourceName == nil, let identity = try identity() else {
        return try directory.find(reference, source: sourceName)
      }
      do {
        return try directory.latest(of: identity)
      } catch DirectoryError.noWholeArchive {
        return try directory.latest(of: nil)
      }
    }
  }

  /// Which Redis is meant, where anything says so.
  var sourceName: String? { source }
}

/// Runs a body and puts the errors of archives and files into words.
func translatingErrors<Result>(_ body: () throws -> Result) throws -> Result {
  do {
    return try body()
  } catch {
    throw BackupError(storing: error)
  }
}
