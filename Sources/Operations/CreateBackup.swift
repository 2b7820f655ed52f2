import ArchiveStore
import Files
import FoundationEssentials
import GzipMembers
import RedisClient
import Synchronization
import Targets
import Workers

/// Makes a backup: save on the server, copy out, prove, compress, publish.
public struct CreateBackup: Sendable {
  /// A server that uses no more than this, in bytes, makes a small dump.
  private static let smallMemory = Int64(64 << 20)

  /// What may be chosen about a backup.
  public struct Options: Sendable {
    /// How the server is asked to write its dump, where that is not for a replica.
    public var method = SaveMethod.bgsave
    /// Whether the dump is taken over the replication stream although its file could be read.
    public var usesReplication = false
    /// The gzip level, 0 to 9.
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

  var session: ServerSession
  let workers: Workers
  let options: Options
  let report: ProgressReport

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
  /// What fails under way is tried again from the start, a new dump included, as ``RetryPolicy`` decides;
  /// never in another way than it was begun.
  ///
  /// - Parameter now: The time that names the archive.
  /// - Throws: ``BackupError`` or `CancellationError`; nothing of the archive is left then.
  public func run(into lock: DirectoryLock, now: Date) async throws -> Result {
    let clock = ContinuousClock()
    let start = clock.now
    var retries = RetryPolicy()
    let first = Mutex<ServerStatus?>(nil)
    var attempt = self
    var isAgain = false
    while true {
      do {
        // The primary may be another one by now, and the old one empty.
        if isAgain, let search = session.search { attempt.session = try await search() }
        let begun = now.addingTimeInterval((clock.now - start).seconds)
        return try await attempt.session.withConnection { [attempt] connection in
          let status = try await connection.status()
          try attempt.requireMeant(status, first: first.withLock { $0 })
          first.withLock { $0 = $0 ?? status }
          return try await attempt.run(on: connection, status, into: lock, now: begun)
        }
      } catch let cancellation as CancellationError {
        throw cancellation
      } catch {
        let failure = try attempt.described(error, lock.directory)
        // What never worked is a mistake of ours more often than a fault that passes.
        guard first.withLock({ $0 }) ?? session.seen != nil, let fault = RetryPolicy.Fault(error),
          let pause = retries.pause(after: fault, at: clock.now - start)
        else { throw failure }
        report(.warning(failure.tryingAgain(in: pause)))
        try await clock.sleep(for: pause)
        isAgain = true
      }
    }
  }

  /// Makes sure that a server is the one that was chosen or, where one was named, still has the role that
  /// it had in the first try: what it serves in another may be older, or nothing.
  private func requireMeant(_ status: ServerStatus, first: ServerStatus?) throws {
    // What a server without a volume held goes with its pod: what is left is no backup of it.
    if let first, !options.force, status.runID != first.runID, status.loading != true,
      status.keyCount < first.keyCount / 2
    {
      throw BackupError.dataLostMeanwhile(
        session.target.source.identity, before: first.keyCount, now: status.keyCount)
    }
    if let seen = session.seen { return try status.requireSame(as: seen) }
    guard let first, first.role != status.role else { return }
    throw BackupError.roleChanged(
      session.target.source.identity, from: first.roleWords, to: status.roleWords)
  }

  private func described(
    _ error: any Error, _ directory: ArchiveDirectory
  ) throws -> BackupError {
    let source = session.target.source
    if error.isUnreachable, try RestoreLog(directory).isUnfinished(of: source) {
      return .serverLeftStopped(source.identity)
    }
    return BackupError(creating: error, session: session)
  }

  /// Makes one backup over a connection that is there already, in one try.
  func run(
    on connection: ServerConnection, into lock: DirectoryLock, now: Date
  ) async throws -> Result {
    try await run(on: connection, try await connection.status(), into: lock, now: now)
  }

  private func run(
    on connection: ServerConnection, _ status: ServerStatus, into lock: DirectoryLock, now: Date
  ) async throws -> Result {
    try preflight(status, directory: lock.directory)
    let way = try await way(on: connection, status, lock.directory)
    report(.began("saving on the server"))
    let start = ContinuousClock.now
    let make: @Sendable (DumpAtHand) async throws -> Result = { dump in
      try await self.make(dump, of: status, since: start, into: lock, now: now)
    }
    switch way {
    case .files(let files): return try await copy(files, status, on: connection, make)
    case .replication(let reason):
      do {
        return try await replicate(status, beside: connection, make)
      } catch RedisError.server(let reply) where reply.code == "NOPERM" {
        guard let reason else { throw RedisError.server(reply) }
        throw BackupError.replicationDenied(reply, because: reason, session)
      }
    }
  }

  private func replicate(
    _ status: ServerStatus, beside connection: ServerConnection,
    _ make: @escaping @Sendable (DumpAtHand) async throws -> Result
  ) async throws -> Result {
    try await ReplicatedDump(session: session, report: report).withDump(
      beside: connection, status
    ) { dump in
      // While it is on its way nothing can be asked, so that only now shows what it is of.
      try await make(dump.confirmed { try await requireSame(as: status, on: connection) })
    }
  }

  private func preflight(_ status: ServerStatus, directory: ArchiveDirectory) throws {
    guard status.mode != .sentinel else {
      throw BackupError.sentinelHasNoData(session.target.source.identity)
    }
    guard status.loading != true else {
      throw ServerIsLoading(percent: status.loadingLoadedPercent)
    }
    if status.role == .replica, status.masterLinkStatus != "up" {
      report(.warning(Sentences.replicaIsLost(session.target.source.identity)))
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
    try directory.requireRoom(forBackupOf: source(status).identity)
  }

  /// How the dump gets here.
  private enum Way: Sendable {
    case files(Files)
    /// Over the replication stream; why its file is not read, nil where that was chosen.
    case replication(because: String?)
  }

  /// Decides, before anything is asked of the server, whether its file can be read.
  private func way(
    on connection: ServerConnection, _ status: ServerStatus, _ archives: ArchiveDirectory
  ) async throws -> Way {
    if options.usesReplication {
      report(.note(Sentences.chosenReplication()))
      try await refuseUnfinishedRestore(unseenBy: connection, status, archives)
      return .replication(because: nil)
    }
    let settings = try await connection.configuration("dir", "dbfilename")
    guard let directory = settings["dir"], let name = settings["dbfilename"] else {
      throw BackupError.dumpPlaceUnknown()
    }
    let path = join(directory, name)
    let doubt = session.target.control.doubt(
      aboutFilesOf: connection.trace(status, directory: directory))
    var reason = doubt?.words
    if doubt == nil {
      do {
        if let transport = try await session.target.volume.transport(
          for: path, slowly: readsSlowly(status))
        {
          report(.note(Sentences.transport(transport.name)))
          try await refuseUnfinishedRestore(in: directory, archives)
          return .files(Files(transport: transport, directory: directory, path: path))
        }
      } catch let error as TargetError {
        guard case .notWatched = error else { throw error }
        reason = error.description
      }
    }
    guard options.method != .save else { throw BackupError.saveNeedsFiles(because: reason) }
    report(.note(Sentences.replication(because: reason)))
    try await refuseUnfinishedRestore(unseenBy: connection, status, archives)
    return .replication(because: reason ?? Sentences.fileUnreadable())
  }

  /// What an unfinished restore has left is neither the old data for sure nor the backup's: it must not
  /// become the latest archive unseen.
  private func refuseUnfinishedRestore(
    in directory: String, _ archives: ArchiveDirectory
  ) async throws {
    if options.force { return }
    guard let journal = try await RestoreJournal.read(in: directory, of: session.target.volume)
    else { return try RestoreLog(archives).noteEnd(of: session.target.source) }
    throw BackupError.backupOfUnfinishedRestore(journal.archive.name)
  }

  /// Whether the bytes of the dump are taken more slowly than a cluster can send them: compressing takes longer than
  /// the way. Of a small dump all is under way at once.
  private func readsSlowly(_ status: ServerStatus) -> Bool {
    options.bytesPerSecond != nil
      || options.level > 0 && status.usedMemory.map { $0 > Self.smallMemory } ?? true
  }

  /// The same where it may be that no file can be seen: then the log beside the archives tells of what was
  /// begun from here.
  private func refuseUnfinishedRestore(
    unseenBy connection: ServerConnection, _ status: ServerStatus, _ archives: ArchiveDirectory
  ) async throws {
    guard !options.force else { return }
    let source = session.target.source
    if try RestoreLog(archives).isUnfinished(of: source) {
      throw BackupError.backupOfUnfinishedRestore(of: source.identity)
    }
    do {
      guard let directory = try await connection.configuration("dir")["dir"],
        session.target.control.doubt(
          aboutFilesOf: connection.trace(status, directory: directory)) == nil
      else { return }
      try await refuseUnfinishedRestore(in: directory, archives)
    } catch is TargetError {
      return
    } catch RedisError.server(let reply) {
      let text = Sentences.restoreUnseen(reply)
      report(reply.code == "NOPERM" ? .warning(text) : .note(text))
    }
  }
}

extension ArchiveDirectory {
  /// Throws where there is less room than the last archive of a Redis took.
  func requireRoom(forBackupOf source: String) throws {
    let last = try archives(of: source).first { $0.state == .verified }
    guard let last, try FileTree.status(of: path) != nil else { return }
    let free = try FileTree.freeByteCount(at: path)
    guard free >= last.byteCount else {
      throw BackupError.noRoom(path, need: last.byteCount, free: free)
    }
  }
}
