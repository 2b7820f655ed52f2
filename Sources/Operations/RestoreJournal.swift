import ArchiveStore
import FoundationEssentials
import RedisClient
import Targets

/// What a restore writes on the volume before it changes anything, so that any later run, from any
/// machine, can finish or undo it.
struct RestoreJournal: Codable, Sendable, Equatable {
  /// The archive that is being restored.
  struct Archive: Codable, Sendable, Equatable {
    let name: String
    let path: String
    let sha256: String
    let dumpSHA256: String
    let dumpBytes: UInt64

    enum CodingKeys: String, CodingKey {
      case name, path, sha256
      case dumpSHA256 = "dump_sha256"
      case dumpBytes = "dump_bytes"
    }
  }

  /// Which way the restore goes.
  enum Direction: String, Codable, Sendable {
    case forward
    /// The old data is being brought back.
    case back
    /// The old data is served again; what is left is tidying up.
    case backDone = "back_done"
  }

  /// The keys of one database.
  struct Keyspace: Codable, Sendable, Equatable {
    let index: Int
    let keys: UInt64
    let expires: UInt64
  }

  static let newestSchemaVersion = 1
  static let maximumByteCount = 1 << 20

  var schemaVersion = Self.newestSchemaVersion
  let startedAt: Date
  let tool: Manifest.Tool
  let archive: Archive
  var files: RestoreFiles
  /// What is swapped beside them, where it is not known what the next start reads; nil for nothing.
  var otherFiles: [RestoreFiles]?
  var settings: ServerSettings
  /// The process that carries it out; nil in older journals.
  var owner: ToolProcess? = .current
  /// The server process that the restore began with.
  let runID: String
  /// Its number, where it is a process of this host.
  var processID: Int
  /// The phase that the restore was about to reach.
  var phase = RestorePhase.begun
  var direction = Direction.forward
  /// The old data, counted when no write was acknowledged any more.
  var oldKeyspace: [Keyspace] = []
  /// The process that ran when the old files were put back, empty for none: any other serves the old data. Nil
  /// while they are not back.
  var returnedRunID: String?
  /// The path of the safety backup.
  var safetyBackup: String?
  /// Whether the old files stay on the volume in the end; nil for no, as in older journals.
  var keepsOldFiles: Bool?
  /// Whether the server did not run, so that its files alone are worked with; nil for no.
  var byFiles: Bool?
  /// Whether a server was started while its files were exchanged; nil for no.
  var startedAmidst: Bool?
  /// How a server in a pod is restarted; nil for by its pod, as in older journals.
  var restart: RestartWay?

  enum CodingKeys: String, CodingKey {
    case tool, archive, files, settings, phase, direction, restart, owner
    case schemaVersion = "schema_version"
    case startedAt = "started_at"
    case runID = "run_id"
    case processID = "process_id"
    case oldKeyspace = "old_keyspace"
    case returnedRunID = "returned_run_id"
    case safetyBackup = "safety_backup"
    case keepsOldFiles = "keeps_old_files"
    case otherFiles = "other_files"
    case byFiles = "by_files"
    case startedAmidst = "started_amidst"
  }

  var isByFiles: Bool { byFiles == true }

  /// - Throws: `TargetError` where the process that carries it out is still at work.
  func requireAbandoned() throws(TargetError) {
    guard let owner, owner.isOtherAtWork else { return }
    throw .restoreAtWork(processID: owner.processID ?? 0)
  }

  /// Everything that the restore makes and may remove again.
  var made: [String] { ([files] + (otherFiles ?? [])).flatMap(\.made) }

  /// Reads the journal of an unfinished restore; nil when there is none.
  ///
  /// - Throws: ``BackupError`` when there is one that this version cannot read; `TargetError`.
  static func read(
    in directory: String, of volume: any DataVolume
  ) async throws -> RestoreJournal? {
    let path = RestoreFiles.journal(in: directory)
    guard let bytes = try await volume.contents(of: path, limit: maximumByteCount) else {
      return nil
    }
    do {
      let journal = try JSON.decoder().decode(RestoreJournal.self, from: Data(bytes))
      guard journal.schemaVersion <= newestSchemaVersion else {
        throw BackupError.journalUnreadable(path, cause: "it was written by a newer version")
      }
      return journal
    } catch let error as DecodingError {
      throw BackupError.journalUnreadable(path, cause: "\(error)")
    }
  }

  /// Writes the first journal, unless there is one: two restores at a time would take each other's
  /// files away.
  ///
  /// - Returns: Whether the volume has hard links.
  /// - Throws: ``BackupError`` when another restore has begun.
  func begin(on volume: any DataVolume) async throws -> Bool {
    let path = RestoreFiles.journal(in: settings.directory)
    let bytes = Array(try JSON.encoder().encode(self))
    let staged = path + ".new"
    try await volume.remove(staged)
    try await volume.write(staged, ownership: nil, contents: bytes)
    var hasLinks = true
    do {
      do {
        try await volume.link(staged, to: path)
      } catch TargetError.linksNotSupported {
        hasLinks = false
        guard try await volume.status(of: path) == nil else {
          throw TargetError.fileExists(path: path)
        }
        try await volume.rename(staged, to: path)
      }
    } catch TargetError.fileExists {
      throw BackupError.otherRestoreBegan(path)
    }
    try await volume.remove(staged)
    // Two that begin in the same moment share the name of what is linked.
    guard try await volume.contents(of: path, limit: Self.maximumByteCount) == bytes else {
      throw BackupError.otherRestoreBegan(path)
    }
    return hasLinks
  }

  /// Removes what a run that was killed may have left of a journal that it never had.
  static func removeUnfinished(in directory: String, of volume: any DataVolume) async throws {
    try await volume.remove(RestoreFiles.journal(in: directory) + ".new")
  }

  /// Removes the journal and what may be left of writing it.
  func remove(from volume: any DataVolume) async throws {
    let path = RestoreFiles.journal(in: settings.directory)
    try await volume.remove(path + ".new")
    try await volume.remove(path)
  }

  /// Writes the journal in one step, durably.
  func write(to volume: any DataVolume) async throws {
    let text = String(decoding: try JSON.encoder().encode(self), as: UTF8.self)
    try await volume.replace(RestoreFiles.journal(in: settings.directory), with: text)
  }
}
