import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations
import Workers

/// How a server in a pod is restarted.
enum RestartChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
  case pod
  case server
}

/// What is told of the jobs that were in flight when the backup was written.
enum PendingChoice: String, ExpressibleByArgument, CaseIterable, Sendable {
  case keep
  case report
}

/// Restores an archive.
struct Restore: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Show the plan, ask, replace the server's data, and check what it serves.",
    discussion: """
      Writes are refused from before the safety backup until the data has been compared. Whatever fails, \
      the old data is served again. A restore that was killed is finished or undone by running the same \
      command again.

      With --key or --match only those keys are written, into the running server and without a restart.
      """)

  @Argument(help: "A path, a name, or \"latest\".")
  var archive: String?

  @Flag(help: "Do not ask.")
  var yes = false

  @Flag(help: "Show what would happen, and change nothing.")
  var dryRun = false

  @Flag(help: "Finish an unfinished restore.")
  var resume = false

  @Flag(help: "Undo an unfinished restore.")
  var rollback = false

  @Flag(help: "Do not back up the present data first.")
  var noSafetyBackup = false

  @Flag(inversion: .prefixedNo, help: "Leave the old files on the volume.")
  var keepOld = false

  @Flag(help: "Restore an archive of another Redis.")
  var fromOtherSource = false

  @Option(
    help: ArgumentHelp(
      "Jobs that were in flight when the backup was written are pending again: keep says how many, "
        + "report lists them with what has become of them since.", valueName: "keep|report"))
  var pending = PendingChoice.keep

  @Option(
    help: ArgumentHelp(
      "How a local server is started again, after this tool has stopped it.", valueName: "cmd"))
  var restartCommand: String?

  @Option(
    help: ArgumentHelp(
      "How a server in a pod is restarted: pod deletes its pod (the default), server has the kubelet "
        + "start its container again.", valueName: "pod|server"))
  var restart: RestartChoice?

  @Option(
    help: ArgumentHelp(
      "Where the data of a server lies that does not run, so that it is restored by its files.",
      valueName: "dir"), completion: .directory)
  var dataDir: String?

  @Option(
    help: ArgumentHelp(
      "The image of the helper pod that reaches those files in a cluster (default: the server's own).",
      valueName: "image"))
  var helperImage: String?

  @Option(help: "The key of this client's certificate.", completion: .file())
  var tlsKey: String?

  @OptionGroup(title: "Single keys") var selection: KeyOptions

  @OptionGroup var server: ServerOptions
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var locking: LockOptions
  @OptionGroup var output: OutputOptions

  var clientKeyFile: String? { tlsKey }

  func validate() throws {
    if resume && rollback { throw ValidationError("--resume and --rollback exclude each other") }
    if (resume || rollback) && archive != nil {
      throw ValidationError("--resume and --rollback go without ARCHIVE: the journal names it")
    }
    if !resume && !rollback && archive == nil {
      throw ValidationError("which archive? a path, a name, or \"latest\"")
    }
    if archive == nil, Settings.current.isTyped("restart") {
      throw ValidationError("--restart goes with ARCHIVE: the journal has it for the rest")
    }
    if selection.isGiven {
      let others = ["keep-old", "pending"].contains { Settings.current.isTyped($0) }
      if archive == nil || others {
        throw ValidationError(
          "--key and --match go without --resume, --rollback, --keep-old and --pending")
      }
      if server.cert != nil && tlsKey == nil {
        throw ValidationError("--key names a key of Redis here: give --cert its key by --tls-key")
      }
    }
  }

  func run() async throws {
    let now = Date()
    let progress = ProgressLine(output)
    defer { progress.clear() }
    let asks = !yes && !dryRun
    let name = archive ?? (resume ? "--resume" : "--rollback")
    // Who cannot be asked must be told before anything is touched, the lock included.
    if asks && !(Terminal.canAsk) { throw BackupError.cannotAsk(name) }
    var settings = try server.settings(key: clientKeyFile, restartCommand: restartCommand)
    settings.helperImage = helperImage
    if let archive, selection.isGiven {
      return try await restoreKeys(of: archive, settings, progress, now: now)
    }
    if case .local = settings.place, Settings.current.isTyped("restart") {
      throw ValidationError("--restart goes with --target kubernetes; see --restart-command")
    }
    if case .local = settings.place, settings.restartCommand == nil, !dryRun {
      throw BackupError.noRestartCommand()
    }
    // A name that means nothing is told at once, not after the wait for the lock.
    _ = try request(settings)
    // A dry run changes nothing anywhere, and is no other run's concern.
    let lock =
      dryRun
      ? nil
      : try await locking.take(archives, for: "restore \(name)", report: progress.report)
    // Whoever was waited for may have made a newer one.
    let request = try request(settings)
    let session = try await ServerSession.open(settings, for: .restore, report: progress.report)
    var options = RestoreBackup.Options()
    options.safetyBackup = !noSafetyBackup
    options.keepsOldFiles = keepOld
    options.keepsOldFilesOfStopped = keepOld || !Settings.current.isTyped("keep-old")
    options.fromOtherSource = fromOtherSource
    options.restartsInPlace = restart == .server
    options.dataDirectory = dataDir?.absolutePath
    options.dryRun = dryRun
    let result = try await RestoreBackup(
      session: session, workers: try Workers(), options: options,
      directory: archives.archiveDirectory(), lock: lock, report: progress.report,
      confirm: { plan in
        progress.clear()
        if asks || !(output.json || output.quiet) {
          // Without a question the report in the end lists them.
          RestoreText.show(
            plan, verbose: output.verbose, listsPending: asks && pending == .report,
            on: output.json ? .error : .standard)
        }
        return !asks || Terminal.ask("Restore now? Type yes: ")
      }
    ).run(request, now: now)
    progress.clear()
    try show(result)
  }

  private func request(_ settings: ConnectionSettings) throws -> RestoreBackup.Request {
    try archive.map { .restore(try archives.find($0, of: settings.identity)) }
      ?? (resume ? .resume : .rollback)
  }

  private func show(_ result: RestoreResult) throws {
    let listsPending = pending == .report
    try end(RestoreDocument(result, listsPending: listsPending), failure: result.failure) {
      if result.outcome == .dryRun {
        RestoreText.show(
          result.plan, verbose: output.verbose, listsPending: listsPending, on: .standard)
      } else if !output.quiet {
        RestoreText.show(result, listsPending: listsPending)
      }
    }
  }

  /// Ends a run that has a result: prints it, and ends with what failed.
  ///
  /// - Parameter text: Prints it for people.
  func end(
    _ document: some Encodable, failure: BackupError?, text: () -> Void
  ) throws {
    if output.json { try Output.standard.write(json: document) } else { text() }
    guard let failure else { return }
    Output.error.write(ErrorText.text(failure, at: place))
    throw ExitStatus(failure.kind)
  }
}
