import ArchiveStore
import Crypto
import FoundationEssentials
import GzipMembers
import RDBFormat
import RedisClient
import Synchronization
import Targets
import Workers

// From a dump that is at hand to an archive that is published.

extension CreateBackup {
  /// Copies a dump, proves it, and publishes it.
  ///
  /// - Parameter start: When the server was asked for the dump.
  func make(
    _ dump: DumpAtHand, of status: ServerStatus, since start: ContinuousClock.Instant,
    into lock: DirectoryLock, now: Date
  ) async throws -> Result {
    let pending = try lock.begin(at: now)
    do {
      let copy = try await copyOut(dump, into: pending, now: now)
      try requireOurs(copy.summary, copy.origin.saved)
      let archive = try await readBack(pending, copy)
      report(.began("publishing"))
      let saved = copy.origin.saved
      let seconds = (copy.origin.ended - start).seconds
      let save = Manifest.Save(
        method: saved.method.rawValue, via: dump.via, requestedAt: now,
        finishedAt: now.addingTimeInterval(seconds), seconds: seconds,
        changesSinceLastSave: saved.changesSinceLastSave)
      let manifest = Manifest(
        name: pending.name, tool: Tool.manifest, tags: options.tags, source: source(status),
        save: save, rdb: Manifest.RDB(copy.summary, sha256: copy.dumpDigest), archive: archive,
        content: copy.summary.content,
        verification: Manifest.Verification(level: Verdict(copy.summary.verdict), verifiedAt: now))
      return Result(manifest: manifest, path: try pending.publish(manifest))
    } catch {
      try pending.discard()
      throw error
    }
  }

  /// What came out of the one pass over the dump.
  private struct Copy: Sendable {
    let summary: RDBSummary
    let dumpDigest: String
    let compressed: GzipMembersResult
    let origin: DumpAtHand.Origin
  }

  private func copyOut(
    _ dump: DumpAtHand, into pending: PendingArchive, now: Date
  ) async throws -> Copy {
    let inspection = DumpInspection(referenceTime: now.milliseconds)
    let sums = DumpSums(hashes: true)
    let origin = Mutex<DumpAtHand.Origin?>(nil)
    let compressed = try await pipe { send in
      let known = try await read(dump, to: send)
      origin.withLock { $0 = known }
    } to: { next in
      try await compressMembers(
        level: options.level, on: workers, from: next,
        tap: { block in
          inspection.compare(inspection.consume(sums.next(block)))
          dump.report(inspection.byteCount)
        },
        deliver: { member in try pending.write(member) })
    }
    try pending.seal()
    guard let dumpDigest = sums.digest(), let origin = origin.withLock({ $0 }) else {
      throw BackupError.internalError("nothing was hashed")
    }
    return Copy(
      summary: try inspection.finish(), dumpDigest: dumpDigest, compressed: compressed,
      origin: origin)
  }

  private func read(
    _ dump: DumpAtHand, to send: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws -> DumpAtHand.Origin {
    guard let limit = options.bytesPerSecond else { return try await dump.read(send) }
    let clock = ContinuousClock()
    let start = clock.now
    let rate = Mutex(RateLimit(bytesPerSecond: limit))
    return try await dump.read { piece in
      let due = rate.withLock { $0.due(after: piece.count, at: clock.now - start) }
      try await send(piece)
      // What is read next waits in the server's machine until then.
      try await clock.sleep(until: start + due)
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
  ///
  /// - Returns: The facts of the file as it is on the disk. Its digest needs no other one to agree with:
  ///   the file has the size that was written, and holds the dump.
  private func readBack(
    _ pending: PendingArchive, _ copy: Copy
  ) async throws -> Manifest.Archive {
    report(.began("reading the archive back"))
    let file = try ArchiveFile(pending.path, asksDisk: true, report: report)
    let digest = Mutex(SHA256())
    _ = try await file.unpack(on: workers) { block in
      digest.withLock { $0.update(data: block) }
    }
    guard digest.withLock({ $0.finalize().hexadecimal }) == copy.dumpDigest,
      file.byteCount == copy.compressed.outputByteCount, let fileDigest = file.digest()
    else { throw BackupError.archiveChangedOnDisk(pending.path) }
    return Manifest.Archive(
      file: pending.name.archiveFile, bytes: file.byteCount, sha256: fileDigest,
      level: options.level, members: copy.compressed.memberCount)
  }

  func source(_ status: ServerStatus) -> Source {
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
    source.chosenBy = chosenBy
    source.container = container
    source.image = image
    source.host = host
    source.port = port
    source.maxmemoryPolicy = status.maxMemoryPolicy
    return source
  }

  /// What tells it from other Redises; the same as in the manifest of an archive of it.
  var identity: String {
    if let namespace, let pod { return "\(namespace)/\(chosenBy ?? pod)" }
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
