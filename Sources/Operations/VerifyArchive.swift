import ArchiveStore
import Files
import FoundationEssentials
import RDBFormat
import Workers

/// Proves an archive: unpacks it, parses the dump to its last byte, and compares what it finds with what
/// the files beside it say.
public struct VerifyArchive: Sendable {
  /// What was found.
  public struct Result: Sendable {
    /// The archive that was read.
    public let entry: ArchiveEntry
    /// The verdict.
    public let verdict: Verdict
    /// All that there is to say; not empty when the verdict is ``Verdict/damaged``.
    public let findings: [Finding]
    /// The facts of the dump; nil when it is damaged or only the digest was compared.
    public let summary: RDBSummary?
    /// The SHA-256 of the dump in hexadecimal, where it was unpacked and somebody needs it.
    public let dumpDigest: String?
    /// The SHA-256 of the file in hexadecimal; nil where nobody needs it.
    public let fileDigest: String?
    let manifest: Manifest?
  }

  private let workers: Workers
  private let report: ProgressReport

  /// - Parameters:
  ///   - workers: The threads for the work.
  ///   - report: Takes the progress.
  public init(workers: Workers, report: @escaping ProgressReport) {
    self.workers = workers
    self.report = report
  }

  /// Reads an archive from its first byte to its last.
  ///
  /// - Parameters:
  ///   - entry: The archive, or any file.
  ///   - now: The time of the verdict.
  ///   - needsDigests: Whether the caller needs the digests of a file that has none to compare with.
  ///   - onKey: Takes each key as it goes by, on a worker thread; what it got is worth nothing when the
  ///     file turns out to be damaged.
  /// - Returns: The verdict, whatever the file holds; bytes that the disk has lost are damage.
  /// - Throws: ``BackupError`` when the file cannot be read for another reason; `CancellationError`.
  public func run(
    _ entry: ArchiveEntry, now: Date, needsDigests: Bool = false,
    onKey: (@Sendable (RDBKey) -> Void)? = nil
  ) async throws -> Result {
    // An archive has digests in the files beside it, or gets them when it is adopted.
    let hashes = needsDigests || entry.name != nil || entry.recordedDigest != nil
    let reading: ArchiveReading
    do {
      reading = try await ArchiveReading(
        of: entry.path, on: workers, hashes: hashes, referenceTime: now.milliseconds,
        report: report, onKey: onKey)
    } catch let error as FileError {
      return try unreadable(entry, error)
    }
    let findings = reading.findings + disagreements(of: reading, with: entry)
    var verdict = Verdict.damaged
    if let summary = reading.summary, !findings.contains(where: \.isDamage) {
      verdict = Verdict(summary.verdict)
    }
    return Result(
      entry: entry, verdict: verdict, findings: findings, summary: reading.summary,
      dumpDigest: reading.dumpDigest, fileDigest: reading.fileDigest,
      manifest: manifest(adopting: entry, reading: reading, verdict: verdict, now: now))
  }

  /// Compares the digest of the file alone; an archive without one is read in full.
  ///
  /// - Throws: As ``run(_:now:)``.
  public func runQuick(_ entry: ArchiveEntry, now: Date) async throws -> Result {
    guard let manifest = entry.manifest, let recorded = entry.recordedDigest else {
      return try await run(entry, now: now)
    }
    let file: ArchiveFile
    do {
      file = try ArchiveFile(entry.path, report: report)
      try await withTaskExecutorPreference(workers) { try file.readToEnd() }
    } catch let error as FileError {
      return try unreadable(entry, error)
    }
    let digest = file.digest()
    let findings = mismatches(of: digest, recorded: recorded, manifest)
    return Result(
      entry: entry, verdict: findings.isEmpty ? manifest.verification.level : .damaged,
      findings: findings, summary: nil, dumpDigest: nil, fileDigest: digest, manifest: nil)
  }

  /// Writes the verdict beside the archive, where that is possible; an archive without a manifest gets
  /// one when it is whole.
  ///
  /// - Parameter holder: What another run is told about this one meanwhile.
  ///
  /// Nothing is recorded in a directory that cannot be written or that another run is writing to.
  /// - Throws: ``BackupError`` when it cannot be locked or written for another reason.
  public func record(_ result: Result, now: Date, holder: String) throws {
    guard let directory = result.entry.directory else { return }
    do {
      try directory.lock(holder: holder).record(
        Manifest.Verification(level: result.verdict, verifiedAt: now), of: result.entry,
        adopting: result.verdict.isWhole ? result.manifest : nil)
    } catch is DirectoryError {
      return
    } catch let error as FileError where error.isReadOnly || error.isDenied {
      return
    } catch let error as FileError {
      throw BackupError.cannotRecordVerdict(result.entry.path, error)
    }
  }

  private func unreadable(_ entry: ArchiveEntry, _ error: FileError) throws(BackupError) -> Result {
    guard error.isLoss else { throw BackupError.cannotRead(entry.path, error) }
    return Result(
      entry: entry, verdict: .damaged, findings: [.unreadable(error)], summary: nil,
      dumpDigest: nil, fileDigest: nil, manifest: nil)
  }

  private func mismatches(
    of digest: String?, recorded: String?, _ manifest: Manifest?
  ) -> [Finding] {
    guard let digest else { return [] }
    return [("the digest file", recorded), ("the manifest", manifest?.archive.sha256)]
      .compactMap { place, expected in
        guard let expected, digest != expected else { return nil }
        return .digestMismatch(place: place, expected: expected, found: digest)
      }
  }

  private func disagreements(
    of reading: ArchiveReading, with entry: ArchiveEntry
  ) -> [Finding] {
    var findings = mismatches(
      of: reading.fileDigest, recorded: entry.recordedDigest, entry.manifest)
    if entry.hasUnreadableManifest { findings.append(.manifestUnreadable()) }
    guard let manifest = entry.manifest else { return findings }
    if reading.fileByteCount != manifest.archive.bytes {
      findings.append(
        .manifestMismatch(
          "the file has \(reading.fileByteCount) bytes, not \(manifest.archive.bytes)"))
    }
    if let digest = reading.dumpDigest, digest != manifest.rdb.sha256 {
      findings.append(
        .manifestMismatch("the dump's SHA-256 is \(digest), not \(manifest.rdb.sha256)"))
    }
    if let summary = reading.summary {
      let dump = Manifest.RDB(summary, sha256: manifest.rdb.sha256)
      if (dump.format, dump.version, dump.bytes, dump.crc64)
        != (manifest.rdb.format, manifest.rdb.version, manifest.rdb.bytes, manifest.rdb.crc64)
      {
        findings.append(
          .manifestMismatch("the dump is not of the kind and size that the manifest says"))
      }
      if !summary.content.agrees(with: manifest.content) {
        findings.append(.manifestMismatch("the dump does not hold what the manifest lists"))
      }
    }
    return findings
  }

  private func manifest(
    adopting entry: ArchiveEntry, reading: ArchiveReading, verdict: Verdict, now: Date
  ) -> Manifest? {
    guard entry.manifest == nil, !entry.hasUnreadableManifest, let name = entry.name,
      let summary = reading.summary,
      let dumpDigest = reading.dumpDigest, let fileDigest = reading.fileDigest
    else { return nil }
    return Manifest(
      name: name, tool: Tool.manifest, tags: [:], source: nil, save: nil,
      rdb: Manifest.RDB(summary, sha256: dumpDigest),
      archive: Manifest.Archive(
        file: name.archiveFile, bytes: reading.fileByteCount, sha256: fileDigest,
        level: nil, members: reading.memberCount),
      content: summary.content,
      verification: Manifest.Verification(level: verdict, verifiedAt: now))
  }
}

extension Finding {
  static func digestMismatch(place: String, expected: String, found: String) -> Finding {
    Finding(
      kind: "digest_mismatch",
      message: "the file's SHA-256 is \(found), but \(place) says \(expected)")
  }

  static func unreadable(_ error: FileError) -> Finding {
    Finding(kind: "unreadable", message: error.description)
  }

  static func manifestUnreadable() -> Finding {
    Finding(
      kind: "manifest_unreadable",
      message:
        "the manifest cannot be read, so that nothing is recorded; mend it, or take it away for a new one",
      isDamage: false)
  }

  static func manifestMismatch(_ fact: String) -> Finding {
    Finding(kind: "manifest_mismatch", message: fact)
  }
}

extension RDBContent {
  /// Whether two lists of the same dump agree; what only one version of this tool tells does not count.
  fileprivate func agrees(with other: RDBContent) -> Bool {
    keys == other.keys && expires == other.expires && functions == other.functions
      && types == other.types && streamsTotal == other.streamsTotal
      && databases.elementsEqual(other.databases) {
        ($0.index, $0.keys, $0.expires) == ($1.index, $1.keys, $1.expires)
      }
      && streams.elementsEqual(other.streams) {
        ($0.database, $0.key, $0.length, $0.lastID) == ($1.database, $1.key, $1.length, $1.lastID)
      }
  }
}

extension Date {
  /// The time in milliseconds since 1970.
  var milliseconds: Int64 { Int64((timeIntervalSince1970 * 1000).rounded(.down)) }
}
