import ArchiveStore
import FoundationEssentials
import Operations
import Workers

extension Restore {
  /// Writes the chosen keys into the running server.
  func restoreKeys(
    of archive: String, _ settings: ConnectionSettings, _ progress: ProgressLine, now: Date
  ) async throws {
    let asks = !yes && !dryRun
    // A name that means nothing is told at once, not after the wait for the lock.
    _ = try archives.find(archive, of: settings.identity)
    let lock =
      dryRun
      ? nil
      : try await locking.take(archives, for: "restore \(archive)", report: progress.report)
    let entry = try archives.find(archive, of: settings.identity)
    let session = try await ServerSession.open(settings, for: .restore, report: progress.report)
    var options = RestoreKeys.Options()
    options.replaces = selection.replace
    options.expiry = selection.ttl ?? .keep
    options.safetyBackup = !noSafetyBackup
    options.fromOtherSource = fromOtherSource
    options.dryRun = dryRun
    let result = try await RestoreKeys(
      session: session, workers: try Workers(), options: options,
      directory: archives.archiveDirectory(), lock: lock, report: progress.report,
      confirm: { plan in
        progress.clear()
        if asks || !(output.json || output.quiet) {
          RestoreKeysText.show(plan, on: output.json ? .error : .standard)
        }
        return !asks || Terminal.ask("Write them now? Type yes: ")
      }
    ).run(selection.choice, of: entry, now: now)
    progress.clear()
    try end(RestoreKeysDocument(result), failure: result.failure) {
      if result.outcome == .dryRun {
        RestoreKeysText.show(result.plan, on: .standard)
      } else if !output.quiet {
        RestoreKeysText.show(result)
      }
    }
  }
}
