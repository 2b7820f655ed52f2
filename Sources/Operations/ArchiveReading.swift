import ArchiveStore
import Files
import GzipMembers
import RDBFormat
import Synchronization
import Workers

/// One pass over an archive, or a plain dump: what is in it, and all that is wrong with it.
struct ArchiveReading: Sendable {
  /// The facts of the dump; nil when it is damaged.
  let summary: RDBSummary?
  /// The SHA-256 of the dump in hexadecimal; nil when it could not be unpacked to its end, or when
  /// nobody needs it.
  let dumpDigest: String?
  /// The SHA-256 of the file in hexadecimal; nil when nobody needs it.
  let fileDigest: String?
  /// The size of the file in bytes.
  let fileByteCount: UInt64
  /// How many gzip members it has; 0 for a plain dump.
  let memberCount: Int
  /// What is to be said of the file by itself; not all of it is damage.
  let findings: [Finding]

  /// Reads a file to its end, whatever it holds.
  ///
  /// - Parameters:
  ///   - path: The file.
  ///   - hashes: Whether somebody needs the digests; without them a plain dump takes half the time.
  ///   - referenceTime: The time that decides which keys count as expired, in milliseconds since 1970.
  ///   - onKey: Takes each key as it goes by, on a worker thread.
  /// - Throws: `FileError` and `CancellationError`; damage is a finding.
  init(
    of path: String, on workers: Workers, hashes: Bool = true, referenceTime: Int64,
    report: @escaping ProgressReport, onKey: (@Sendable (RDBKey) -> Void)? = nil
  ) async throws {
    let file = try ArchiveFile(path, hashes: hashes, report: report)
    // The digest of a plain dump is that of its file.
    let sums = DumpSums(hashes: hashes && file.isCompressed)
    let inspection = DumpInspection(referenceTime: referenceTime, onKey: onKey)
    var findings: [Finding] = []
    var memberCount = 0
    var summary: RDBSummary?
    var dumpDigest: String?
    do {
      memberCount = try await file.inspect(with: inspection, sums, on: workers)
      dumpDigest = file.isCompressed ? sums.digest() : file.digest()
      summary = try inspection.finish()
    } catch let error as RDBError {
      findings.append(Finding(error))
    } catch let error as GzipError {
      findings.append(Finding(error))
      try file.readToEnd()
    }
    self.summary = summary
    self.dumpDigest = dumpDigest
    self.memberCount = memberCount
    fileDigest = file.digest()
    fileByteCount = file.byteCount
    self.findings = findings + (summary?.findings.map(Finding.init) ?? [])
  }
}

extension ArchiveFile {
  /// Unpacks the file, inspects the dump beside that, and compares its keys beside both; returns the
  /// number of members.
  fileprivate func inspect(
    with inspection: DumpInspection, _ sums: DumpSums, on workers: Workers
  ) async throws -> Int {
    let memberCount = Mutex(0)
    try await pipe { send in
      let count = try await self.unpack(on: workers) { try await send(sums.next($0)) }
      memberCount.withLock { $0 = count }
    } to: { pieces in
      try await pipe { send in
        try await withTaskExecutorPreference(workers) {
          while let piece = try await pieces() { try await send(inspection.consume(piece)) }
        }
      } to: { keys in
        try await withTaskExecutorPreference(workers) {
          while let batch = try await keys() { inspection.compare(batch) }
        }
      }
    }
    return memberCount.withLock { $0 }
  }
}
