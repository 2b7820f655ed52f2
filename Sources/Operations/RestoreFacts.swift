import ArchiveStore
import RDBFormat
import RedisClient
import Targets

/// All that the plan of a restore depends on, besides the archive and the options.
struct RestoreFacts: Sendable, Equatable {
  /// What INFO says.
  var status: ServerStatus
  /// The running configuration.
  var settings: ServerSettings
  /// What the next start will be told; nil where that cannot be seen.
  var nextStart: NextStart?
  /// The manifest of the append-only file, where it has parts.
  var appendManifest: AOFManifest?
  /// What the place where the server lives has against a restart.
  var obstacles: [RestoreObstacle]
  /// The free space on the volume in bytes.
  var freeByteCount: UInt64
  /// The size of the server's present dump, 0 when there is none.
  var dumpByteCount: UInt64
  /// The names of the modules that the server has loaded.
  var modules: [String]
  /// The identity of the Redis that is to be restored.
  var identity: String
  /// What is said to the server; nil where it asks for nothing.
  var login: RestoreLogin?
  /// Whether the server lives in a pod, which takes longer to come back than a process.
  var isInCluster = false
  /// The memory limit of the place where the server runs; nil for none.
  var memoryLimitByteCount: UInt64?
  /// What should be known of that place before a restart.
  var concerns: [RestartConcern] = []
  /// What the server holds beside what the backup holds.
  var present = PresentData()
}

/// What is to be restored, as it was proven.
struct RestoreCandidate: Sendable {
  /// The path of the archive.
  let path: String
  /// The archive's name, or the file's.
  let name: String
  /// The SHA-256 of the archive.
  let fileDigest: String
  /// The SHA-256 of the dump inside.
  let dumpDigest: String
  /// The facts of the dump.
  let summary: RDBSummary
  /// The Redis that it came from; nil where the archive does not say.
  let source: String?
}

extension RestoreCandidate {
  /// Throws where the archive says that it is of another Redis than this.
  func requireSource(_ identity: String) throws(RestoreRefusal) {
    guard let source, source != identity else { return }
    throw .otherSource(archive: source, target: identity)
  }

  /// What may be restored: an archive that was read in full, with its digests, and is whole.
  ///
  /// - Throws: ``BackupError`` when it is damaged, or its contents are not understood.
  init(_ result: VerifyArchive.Result) throws {
    let entry = result.entry
    guard let summary = result.summary, let dumpDigest = result.dumpDigest,
      let fileDigest = result.fileDigest, result.verdict.isWhole
    else { throw BackupError.archiveDamaged(entry.path, result.findings) }
    guard result.verdict != .integrityOnly else {
      throw BackupError.archiveNotUnderstood(entry.path, version: summary.version)
    }
    self.init(
      path: entry.path, name: entry.name?.description ?? entry.path, fileDigest: fileDigest,
      dumpDigest: dumpDigest, summary: summary, source: entry.source)
  }
}

/// Why a restore is refused, with nothing touched.
enum RestoreRefusal: Error, Sendable, Equatable {
  case notAMaster(role: String)
  case replicasConnected(Int)
  case mode(String)
  case versionTooNew(dump: String, server: String)
  case modulesMissing([String])
  case tooFewDatabases(needed: UInt64, configured: Int)
  case nextStartDiffers(setting: String, running: String, next: String)
  case nextStartAsksForPassword
  case nextStartHasOtherPassword
  case nextStartLacksUser(String)
  case nextStartFollows(String)
  case obstacle(RestoreObstacle)
  /// Of a server that does not run.
  case obstacleToHolding(RestoreObstacle)
  case otherSource(archive: String, target: String)
  case noRoom(need: UInt64, free: UInt64)
  case appendManifestUnreadable(path: String)
  /// Of a server that does not run: which of several directories is its own.
  case dataDirectoryUnclear([String])
  case noDataDirectory(String)
  /// Of a server that does not run: which of several files it reads.
  case severalFiles([String])
}

extension ServerStatus {
  /// The keys of all databases.
  var keyCount: UInt64 { keyspace.map { UInt64(clamping: $0.keys) }.reduce(0, +) }

  /// The product and its version for people: "redis 7.0.15".
  var productAndVersion: String { "\(product?.rawValue ?? "server") \(version ?? "")" }
}
