import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations

/// What a run does when another one is writing to the directory.
struct LockOptions: ParsableArguments, Sendable {
  @Option(
    defaultAsFlag: "10m", parsing: .next,
    help: ArgumentHelp(
      "Wait for another run to end, at most that long (default: end with 75).",
      valueName: "span"))
  var wait: String?

  private static let interval = Duration.milliseconds(200)

  // A transform that throws would count as no value, and wait for ten minutes.
  func validate() throws {
    if let wait, TimeSpan(wait) == nil {
      throw ValidationError("--wait: \"\(wait)\" is not \(TimeSpan.expected)")
    }
  }

  /// Makes the directory where it is missing, and becomes its one writer.
  ///
  /// - Parameters:
  ///   - archives: The directory.
  ///   - command: What other runs are told about this one.
  ///   - report: Is told when there is somebody to wait for.
  /// - Throws: `BackupError`; `CancellationError`.
  func take(
    _ archives: DirectoryOptions, for command: String, report: ProgressReport
  ) async throws -> DirectoryLock {
    let deadline = wait.flatMap(TimeSpan.init).map { ContinuousClock.now + $0.duration }
    var isWaiting = false
    while true {
      do {
        return try archives.lock(for: command, now: Date())
      } catch let error as BackupError where error.kind == .busy {
        guard let deadline, ContinuousClock.now < deadline else { throw error }
        if !isWaiting { report(.began("waiting for another run")) }
        isWaiting = true
        try await Task.sleep(for: Self.interval)
      }
    }
  }
}
