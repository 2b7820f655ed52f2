import ArchiveStore
import Crypto
import Files
import FoundationEssentials
import GzipMembers
import RDBFormat
import RedisClient
import Synchronization
import Targets
import Workers

/// Makes a backup: save on the server, copy out, prove, compress, publish.
public struct CreateBackup: Sendable {
  /// What may be chosen about a backup.
  public struct Options: Sendable {
    /// How the server is asked to write its dump.
    public var method = SaveMethod.bgsave
    /// The gzip level, 1 to 9.
    public var level = defaultCompressionLevel
    /// What is written on the archive.
    public var tags: [String: String] = [:]
    /// How many bytes per second are read from the server at most; nil for as many as there are.
    public var bytesPerSecond: UInt64?
    /// Whether to go on where the server's memory limit may not suffice for the save, or where a restore
    /// is unfinished.
    public var force = false

    /// The choices of the documentation.
    public init() {}
  }

  /// A backup that is published.
  public struct Result: Sendable {
    /// Its manifest.
    public let manifest: Manifest
    /// The path of its archive.
    public let path: String
  }

  private let session: ServerSession
  private let workers: Workers
  private let options: Options
  private let report: ProgressReport

  /// - Parameters:
  ///   - session: The way to the server.
  ///   - workers: The threads for the work.
  ///   - report: Takes the progress.
  public init(
    session: ServerSession, workers: Workers, options: Options, report: @escaping ProgressReport
  ) {
    self.session = session
    self.workers = workers
    self.options = options
    self.report = report
  }

  /// Makes one backup in a directory that this run has locked.
  ///
  /// - Parameter now: The time that names the archive.
  /// - Throws: ``BackupError`` or `CancellationError`; nothing of the archive is left then.
  public func run(into lock: DirectoryLock, now: Date) async throws -> Result {
    do {
      return try await session.withConnection { connection in
        try await run(on: connection, into: lock, now: now)
      }
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      let source = session.target.source.identity
      if error.isUnreachable, try RestoreLog(lock.directory).isUnfinished(source: source) {
        throw BackupError.serverLeftStopped(source)
      }
      throw BackupError(creating: error, session: session)
    }
  }

  /// Makes one backup over a connection that is there already.
  func run(
    on connection: ServerConnection, into lock: DirectoryLock, now: Date
  ) async throws -> Result {
    let status = try await connection.status()
    try await preflight(status, directory: lock.directory)
    let dumpPath = try await dumpPath(on: connection)
    try await refuseUnfinishedRestore(in: dumpPath.directory)
    report(.began("saving on the server"))
    let clock = ContinuousClock()
    let start = clock.now
    let dump = try await SaveDump(
      method: options.method, volume: session.target.volume, directory: dumpPath.directory,
      limits: session.limits, report: report
    ).run(on: connection)
    let seconds = (clock.now - start).seconds
    let save = Manifest.Save(
      method: dump.method.rawValue, requestedAt: now,
      finishedAt: now.addingTimeInterval(seconds), seconds: seconds,
      changesSinceLastSave: dump.changesSinceLastSave)
    let pending = try lock.begin(at: now)
    do {
      let copy = try await copyOut(dumpPath.path, into: pending, now: now)
      try requireOurs(copy.summary, dump)
      try await readBack(pending, copy)
      report(.began("publishing"))
      let manifest = manifest(pending.name, copy, save: save, source: source(status), now: now)
      return Result(manifest: manifest, path: try pending.publish(manifest))
    } catch {
      try pending.discard()
      throw error
    }
  }

  private func preflight(_ status: ServerStatus, directory: ArchiveDirectory) async throws {
    guard status.loading != true else {
      throw BackupError.serverIsLoading(status.loadingLoadedPercent)
    }
    if !options.force, let limit = session.target.control.memoryLimitByteCount,
      let used = status.usedMemory
    {
      // A child that saves shares the server's memory until it changes; what changed during the last
      // save is the best guess of what will during this one.
      let need = UInt64(max(used, 0)) + UInt64(max(status.lastCopyOnWriteByteCount ?? 0, 0))
      guard need <= limit || options.method == .save else {
        throw BackupError.memoryLimitTooLow(limit: limit, need: need)
      }
    }
    let source = source(status).identity
    let last = try directory.archives(of: source).first { $0.state == .verified }
    let free = try FileTree.freeByteCount(at: directory.path)
    if let last, free < last.byteCount {
      throw BackupError.noRoom(directory.path, need: last.byteCount, free: free)
    }
  }

  /// What an unfinished restore has left is neither the old data for sure nor the backup's: it must not
  /// become the latest archive unseen.
  private func refuseUnfinishedRestore(in directory: String) async throws {
    guard !options.force,
      let journal = try await RestoreJournal.read(in: directory, of: session.target.volume)
    else { return }
    throw BackupError.backupOfUnfinishedRestore(journal.archive.name)
  }

  private func dumpPath(
    on connection: ServerConnection
  ) async throws -> (directory: String, path: String) {
    let settings = try await connection.configuration("dir", "dbfilename")
    guard let directory = settings["dir"], let name = settings["dbfilename"] else {
      throw BackupError.dumpPlaceUnknown()
    }
    return (directory, join(directory, name))
  }

  /// What came out of the one pass over the dump.
  private struct Copy: Sendable {
    let summary: RDBSummary
    let dumpDigest: String
    let fileDigest: String
    let compressed: GzipMembersResult
  }

  private func copyOut(
    _ path: String, into pending: PendingArchive, now: Date
  ) async throws -> Copy {
    report(.began("copying the dump"))
    let inspection = DumpInspection(referenceTime: now.milliseconds)
    let sums = DumpSums(hashes: true)
    let volume = session.target.volume
    let total = try await volume.status(of: path)?.byteCount
    let compressed = Mutex<GzipMembersResult?>(nil)
    let fileDigest = try await pipe { hash in
      let result = try await pipe { send in
        try await read(path, of: volume, to: send)
      } to: { next in
        try await compressMembers(
          level: options.level, on: workers, from: next,
          tap: { block in
            inspection.consume(sums.next(block))
            report(.bytes(done: inspection.byteCount, total: total))
          },
          deliver: { member in
            try await hash(member)
            try pending.write(member)
          })
      }
      compressed.withLock { $0 = result }
    } to: { next in
      try await digest(of: next)
    }
    try pending.seal()
    guard let dumpDigest = sums.digest(), let compressed = compressed.withLock({ $0 }) else {
      throw BackupError.internalError("nothing was hashed")
    }
    return Copy(
      summary: try inspection.finish(), dumpDigest: dumpDigest, fileDigest: fileDigest,
      compressed: compressed)
  }

  private func read(
    _ path: String, of volume: any DataVolume,
    to send: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws {
    let stall = session.limits.copyStall
    guard let limit = options.bytesPerSecond else {
      try await volume.read(path, stallTimeout: stall, deliver: send)
      return
    }
    let clock = ContinuousClock()
    let start = clock.now
    let rate = Mutex(RateLimit(bytesPerSecond: limit))
    try await volume.read(path, stallTimeout: stall) { piece in
      let due = rate.withLock { $0.due(after: piece.count, at: clock.now - start) }
      try await send(piece)
      // What is read next waits in the server's machine until then.
      try await clock.sleep(until: start + due)
    }
  }

  private func digest(
    of next: @escaping @Sendable () async throws -> [UInt8]?
  ) async throws -> String {
    try await withTaskExecutorPreference(workers) {
      var digest = SHA256()
      while let piece = try await next() { digest.update(data: piece) }
      return digest.finalize().hexadecimal
    }
  }

  /// A dump that began before we asked is somebody else's: it may lack what was acknowledged since.
  private func requireOurs(_ summary: RDBSummary, _ dump: SavedDump) throws {
    // The dump has its second from the kernel's coarse clock, which is up to a tick (10 ms) behind.
    guard let asked = dump.serverTimeAtRequest.map({ ($0 - .milliseconds(20)).components.seconds })
    else { return }
    guard let began = summary.aux["ctime"].flatMap(Int64.init), began >= asked else {
      throw BackupError.dumpNotOurs(began: summary.aux["ctime"], asked: asked)
    }
  }

  /// Reads the file as a restore would, before anybody may call it a backup.
  private func readBack(_ pending: PendingArchive, _ copy: Copy) async throws {
    report(.began("reading the archive back"))
    let file = try ArchiveFile(pending.path, report: report)
    let digest = Mutex(SHA256())
    _ = try await file.unpack(on: workers) { block in
      digest.withLock { $0.update(data: block) }
    }
    guard digest.withLock({ $0.finalize().hexadecimal }) == copy.dumpDigest,
      file.digest() == copy.fileDigest
    else { throw BackupError.archiveChangedOnDisk(pending.path) }
  }

  private func manifest(
    _ name: ArchiveName, _ copy: Copy, save: Manifest.Save, source: Source, now: Date
  ) -> Manifest {
    Manifest(
      name: name, tool: Tool.manifest, tags: options.tags, source: source, save: save,
      rdb: Manifest.RDB(copy.summary, sha256: copy.dumpDigest),
      archive: Manifest.Archive(
        file: name.archiveFile, bytes: copy.compressed.outputByteCount, sha256: copy.fileDigest,
        level: options.level, members: copy.compressed.memberCount),
      content: copy.summary.content,
      verification: Manifest.Verification(level: Verdict(copy.summary.verdict), verifiedAt: now))
  }

  private func source(_ status: ServerStatus) -> Source {
    session.target.source.asSource(of: status)
  }
}

extension TargetSource {
  /// The Redis that lives there, as a manifest tells it.
  func asSource(of status: ServerStatus) -> Source {
    var source = Source(
      target: target.rawValue, server: status.product?.rawValue ?? "unknown",
      serverVersion: status.version ?? "unknown", runID: status.runID ?? "",
      role: status.role?.rawValue ?? "unknown", appendonly: status.aofEnabled == true)
    source.context = context
    source.namespace = namespace
    source.pod = pod
    source.container = container
    source.image = image
    source.host = host
    source.port = port
    source.maxmemoryPolicy = status.maxMemoryPolicy
    return source
  }

  /// What tells it from other Redises; the same as in the manifest of an archive of it.
  var identity: String {
    if let namespace, let pod { return "\(namespace)/\(pod)" }
    return "\(host ?? "?"):\(port ?? 0)"
  }
}

extension Duration {
  /// The span in seconds, to a millisecond.
  var seconds: Double {
    let (seconds, attoseconds) = components
    return Double(seconds) + Double(attoseconds / 1_000_000_000_000_000) / 1000
  }
}
