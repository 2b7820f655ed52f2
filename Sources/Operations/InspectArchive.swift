import ArchiveStore
import Files
import FoundationEssentials
import RDBFormat
import Workers

/// Tells what is inside an archive or a plain dump.
public struct InspectArchive: Sendable {
  private let workers: Workers
  private let report: ProgressReport

  /// - Parameters:
  ///   - workers: The threads for the work.
  ///   - report: Takes the progress.
  public init(workers: Workers, report: @escaping ProgressReport) {
    self.workers = workers
    self.report = report
  }

  /// Reads a file from its first byte to its last.
  ///
  /// - Parameters:
  ///   - entry: The archive, or any file that holds a dump.
  ///   - now: The time that decides which keys have expired.
  ///   - onKey: Takes each key as it goes by, in file order, on a worker thread; what it got is worth
  ///     nothing when the file turns out to be damaged.
  /// - Returns: The facts of the dump, and its SHA-256 in hexadecimal.
  /// - Throws: ``BackupError`` when the file cannot be read or is damaged; `CancellationError`.
  public func run(
    _ entry: ArchiveEntry, now: Date, onKey: (@Sendable (RDBKey) -> Void)? = nil
  ) async throws -> (summary: RDBSummary, dumpDigest: String) {
    let reading: ArchiveReading
    do {
      reading = try await ArchiveReading(
        of: entry.path, on: workers, referenceTime: now.milliseconds, report: report, onKey: onKey)
    } catch let error as FileError {
      throw BackupError.cannotRead(entry.path, error)
    }
    guard let summary = reading.summary, let dumpDigest = reading.dumpDigest else {
      throw BackupError.cannotInspect(entry.path, reading.findings)
    }
    return (summary, dumpDigest)
  }
}

extension BackupError {
  static func cannotInspect(_ path: String, _ findings: [Finding]) -> BackupError {
    BackupError(
      .damaged, "cannot tell what is in \(path): it is damaged", cause: findings.first?.message,
      hint: "raibid-backup verify \(path)")
  }
}
