import ArchiveStore
import Files
import FoundationEssentials

/// Says whether there is a fresh, whole backup of each Redis, and whether there will be one tomorrow.
public struct CheckStatus: Sendable {
  /// The age from which a backup is not fresh any more.
  public var maximumAge = Duration.seconds(26 * 3600)
  /// The share of the usual size below which a backup is suspicious.
  public var shrinkLimitPercent = 50

  /// Creates a check with the limits of the documentation.
  public init() {}

  /// Looks at a directory; nothing is unpacked and nobody is waited for.
  ///
  /// - Parameters:
  ///   - source: The Redis that is meant; nil for all that the directory holds archives of.
  ///   - now: The time by this host's clock.
  /// - Throws: ``BackupError`` when the directory cannot be read.
  public func run(
    in directory: ArchiveDirectory, source: String?, now: Date
  ) throws -> StatusReport {
    do {
      let archives = try directory.archives(RetentionCandidate.init)
      var sources = Set(archives.compactMap(\.source)).sorted().map(Optional.some)
      if let source { sources = [source] }
      if sources.isEmpty { sources = [nil] }
      let unfinished = try RestoreLog(directory).unfinishedTargets()
      var report = StatusReport()
      var need = 0.0
      for source in sources {
        let counted = archives.filter { $0.source == source && $0.counts }
        let figures = self.figures(source, counted, now: now)
        need += figures.nextThreeBytes
        report.sources.append(figures)
        report.findings.append(freshness(figures))
        report.findings.append(size(figures, counted))
      }
      for target in unfinished.sorted() where source == nil || source == target {
        report.findings.append(.unfinishedRestore(target))
      }
      if unfinished.isEmpty { report.findings.append(.noUnfinishedRestore()) }
      if let free = try freeByteCount(directory) {
        report.freeBytes = free
        report.nextThreeBytes = UInt64(min(need, 1e18))
        report.findings.append(
          .space(directory.path, free: free, need: report.nextThreeBytes, next: need / 3))
      }
      return report
    } catch {
      throw BackupError(storing: error)
    }
  }

  private func freeByteCount(_ directory: ArchiveDirectory) throws -> UInt64? {
    guard try FileTree.status(of: directory.path) != nil else { return nil }
    return try FileTree.freeByteCount(at: directory.path)
  }

  private func figures(
    _ source: String?, _ counted: [RetentionCandidate], now: Date
  ) -> StatusReport.Source {
    let history = SizeHistory(counted, shrinkLimitPercent: shrinkLimitPercent)
    var figures = StatusReport.Source(source: source, verifiedArchives: counted.count)
    figures.maximumAgeSeconds = Int(maximumAge.components.seconds)
    figures.usualKeys = history.usualKeyCount
    figures.usualDumpBytes = history.usualByteCount
    guard let newest = counted.first else { return figures }
    figures.newest = newest.name.description
    figures.ageSeconds = Int(now.timeIntervalSince(newest.name.date))
    figures.keys = newest.keyCount
    figures.dumpBytes = newest.dumpByteCount
    figures.archiveBytes = newest.fileByteCount
    let recent = counted.prefix(SizeHistory.depth)
    let first = Double(recent.last?.fileByteCount ?? 0)
    let last = Double(newest.fileByteCount)
    let growth = recent.count > 1 ? max((last - first) / Double(recent.count - 1), 0) : 0
    figures.nextThreeBytes = 3 * last + 6 * growth
    return figures
  }

  private func freshness(_ figures: StatusReport.Source) -> StatusFinding {
    guard let newest = figures.newest, let age = figures.ageSeconds else {
      return .noBackup(figures.source)
    }
    guard age >= -60 else { return .datedInTheFuture(newest) }
    return .age(
      figures.source, newest: newest, ageSeconds: age,
      maximumAgeSeconds: figures.maximumAgeSeconds)
  }

  private func size(
    _ figures: StatusReport.Source, _ counted: [RetentionCandidate]
  ) -> StatusFinding {
    let history = SizeHistory(counted, shrinkLimitPercent: shrinkLimitPercent)
    return .size(
      figures, isShrunk: counted.first.map { history.shrunk.contains($0.name) } ?? false)
  }
}
