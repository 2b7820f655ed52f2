import ArchiveStore
import Files
import GzipMembers
import RDBFormat
import Workers

/// One pass over an archive, or a plain dump: what is in it, and all that is wrong with it.
struct ArchiveReading: Sendable {
  /// The facts of the dump; nil when it is damaged.
  let summary: RDBSummary?
  /// The SHA-256 of the dump in hexadecimal; nil when it could not be unpacked to its end.
  let dumpDigest: String?
  /// The SHA-256 of the file in hexadecimal.
  let fileDigest: String
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
  ///   - referenceTime: The time that decides which keys count as expired, in milliseconds since 1970.
  ///   - onKey: Takes each key as it goes by, on a worker thread.
  /// - Throws: `FileError` and `CancellationError`; damage is a finding.
  init(
    of path: String, on workers: Workers, referenceTime: Int64, report: @escaping ProgressReport,
    onKey: (@Sendable (RDBKey) -> Void)? = nil
  ) async throws {
    let file = try ArchiveFile(path, report: report)
    let inspection = DumpInspection(referenceTime: referenceTime, onKey: onKey)
    var findings: [Finding] = []
    var memberCount = 0
    var summary: RDBSummary?
    var dumpDigest: String?
    do {
      memberCount = try await file.unpack(on: workers) { inspection.consume($0) }
      dumpDigest = inspection.digest()
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
