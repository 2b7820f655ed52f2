import ArgumentParser
import Operations

/// What a run does for those who do not sit beside it.
struct WatchOptions: ParsableArguments, Sendable {
  @Option(
    help: ArgumentHelp(
      "Begin after a time by chance, at most that long, so that many hosts do not begin at once.",
      valueName: "span"),
    transform: TimeSpan.parse)
  var randomDelay: TimeSpan?

  @Option(
    help: ArgumentHelp(
      "Tell a monitor such as healthchecks.io: URL/start, then URL, or URL/fail.",
      valueName: "url"))
  var heartbeatURL: String?

  @Option(help: ArgumentHelp("Run this by a shell when all went well.", valueName: "cmd"))
  var onSuccess: String?

  @Option(help: ArgumentHelp("Run this by a shell when something failed.", valueName: "cmd"))
  var onFailure: String?

  @Option(
    help: ArgumentHelp("How long such a command may take (default: 10m).", valueName: "span"),
    transform: TimeSpan.parse)
  var hookTimeout: TimeSpan?

  func validate() throws {
    // Without the value, which is a secret.
    if let heartbeatURL, !RunWatch.isUsable(heartbeatURL: heartbeatURL) {
      throw ValidationError(
        "--heartbeat-url: it is no URL that begins with http:// or https:// and a host")
    }
  }

  /// Waits as long as chance says, runs a backup, and tells those who watch how it went.
  ///
  /// - Parameter command: Whose run it is.
  func watching(
    _ command: some BackupCommand, report: @escaping ProgressReport,
    _ body: () async throws -> CreateBackup.Result
  ) async throws {
    if let randomDelay {
      let span = randomDelay.duration * Double.random(in: 0..<1)
      report(.began("waiting for \(span.components.seconds) s by chance"))
      try await Task.sleep(for: span)
    }
    var watch = RunWatch(report: report)
    watch.heartbeatURL = heartbeatURL
    watch.authorityFile = Environment.current.value("SSL_CERT_FILE")
    watch.hasProxy = Environment.current.namesProxy
    watch.successCommand = onSuccess
    watch.failureCommand = onFailure
    if let hookTimeout { watch.commandLimit = hookTimeout.duration }
    await watch.begin()
    let start = ContinuousClock.now
    let outcome: Result<CreateBackup.Result, any Error>
    do {
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    let place = command.place
    let seconds = (ContinuousClock.now - start).components.seconds
    await watch.end(WatchedRun(outcome, place: place, seconds: seconds).ending)
    _ = try outcome.get()
  }
}
