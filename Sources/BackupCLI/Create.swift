import ArgumentParser
import ArchiveStore
import FoundationEssentials
import Operations
import RDBFormat
import Workers

extension SaveMethod: ExpressibleByArgument {
  /// What may be asked for: how a replica is served is not a choice of its own.
  public static let allValueStrings = [SaveMethod.bgsave, .save].map(\.rawValue)

  /// Reads one of those.
  public init?(argument: String) {
    guard Self.allValueStrings.contains(argument) else { return nil }
    self.init(rawValue: argument)
  }
}

extension DumpWay: ExpressibleByArgument {}

/// Makes a backup.
struct Create: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Save on the server, copy the dump out, prove it, and publish a dated archive.")

  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var output: OutputOptions

  @Option(help: "How the server saves: bgsave, or save, which blocks all its clients.")
  var save = SaveMethod.bgsave

  @Option(
    help: ArgumentHelp(
      "How the dump gets here: with kubectl cp, kubectl exec, or as to a replica, which takes no files "
        + "and no tools in the container; auto takes the first that will do.",
      valueName: "auto|cp|exec|replication"))
  var via = DumpWay.auto

  @Flag(
    inversion: .prefixedNo,
    help: """
      Save on a replica that has all that the primary has, if there is one; with --selector or --pod \
      statefulset/NAME.
      """)
  var preferReplica = false

  @Option(help: "The gzip level, 1 to 9, or 0 to store without compressing.")
  var level: Int?

  @Option(help: ArgumentHelp("A tag for the archive; may be given again.", valueName: "key=value"))
  var tag: [String] = []

  @Option(
    help: ArgumentHelp(
      "Read at most so many bytes per second from the server, such as 500K or 20M.",
      valueName: "bytes"), transform: ByteRate.parse)
  var limitRate: ByteRate?

  @Flag(
    inversion: .prefixedNo,
    help: "Leave cores and disk to others first; on a local server, where they would be its own.")
  var nice = true

  @Flag(help: "Save even where the pod's memory limit may not suffice, or a restore is unfinished.")
  var force = false

  @Flag(inversion: .prefixedNo, help: "Then remove what the --keep options do not keep.")
  var prune = false

  @OptionGroup var retention: RetentionOptions
  @OptionGroup var locking: LockOptions
  @OptionGroup var metrics: MetricsOptions
  @OptionGroup var watch: WatchOptions

  var clientKeyFile: String? { clientKey.key }

  func validate() throws {
    if via == .replication && save == .save {
      throw ValidationError("--save save and --via replication exclude each other")
    }
    if let level, !(0...9).contains(level) {
      throw ValidationError("--level: \(level) is not from 0 to 9")
    }
    if retention.isTyped && !prune { throw ValidationError("the --keep options go with --prune") }
    _ = try tags()
  }

  func run() async throws {
    let phases = PhaseClock()
    let progress = ProgressLine(output, phases: phases)
    defer { progress.clear() }
    try await watch.watching(self, report: progress.report) {
      try await metrics.recording(
        archives, source: place.settings?.identity ?? "unknown", phases: phases
      ) {
        try await run(progress)
      }
    }
  }

  private func run(_ progress: ProgressLine) async throws -> CreateBackup.Result {
    let settings = try connectionSettings()
    let policy = prune ? try retention.policy() : nil
    let lock = try await locking.take(archives, for: "create", report: progress.report)
    // Waiting may have taken long; the name of the archive is when it was begun.
    let now = Date()
    if save == .save {
      progress.report(.warning("SAVE blocks all clients of the server until it is done"))
    }
    if nice, case .local = settings.place { ThisProcess.lowerPriority() }
    let session = try await ServerSession.open(
      settings, for: .backup(prefersReplica: preferReplica), archives: lock.directory,
      report: progress.report)
    var options = CreateBackup.Options()
    options.method = save
    options.usesReplication = via == .replication
    if let level { options.level = level }
    options.tags = try tags()
    options.force = force
    options.bytesPerSecond = limitRate?.bytesPerSecond
    let result = try await CreateBackup(
      session: session, workers: try Workers(), options: options, report: progress.report
    ).run(into: lock, now: now)
    progress.clear()
    if result.manifest.verification.level == .integrityOnly {
      progress.report(
        .warning("RDB version \(result.manifest.rdb.version) is newer than this tool understands"))
    }
    if !output.json { show(result) }
    if let policy {
      do {
        try prune(result, policy, in: lock, progress)
      } catch let error as BackupError {
        throw error.after(publishing: result.path)
      }
    }
    if output.json { try Output.standard.write(json: result.manifest) }
    return result
  }

  /// The settings of the server, with the way of the dump in them.
  func connectionSettings(readsPasswordFile: Bool = true) throws -> ConnectionSettings {
    var settings = try server.settings(key: clientKeyFile, readsPasswordFile: readsPasswordFile)
    settings.via = via
    if preferReplica, !settings.leavesPodOpen {
      throw ValidationError("--prefer-replica goes with --selector or --pod statefulset/NAME")
    }
    if case .local = settings.place, via == .copy || via == .execute {
      throw BackupError.badValue(
        "--via", via.rawValue, expected: "auto or replication, as for a local server it must be")
    }
    return settings
  }

  private func prune(
    _ result: CreateBackup.Result, _ policy: RetentionPolicy, in lock: DirectoryLock,
    _ progress: ProgressLine
  ) throws {
    let decisions = try PruneArchives(policy: policy, source: result.manifest.source?.identity)
      .run(in: lock, now: Date())
    for warning in PruneText.warnings(decisions) { progress.report(.warning(warning)) }
    guard output.isWatched, !output.json else { return }
    for decision in decisions where decision.removes {
      Output.standard.write("\(decision.archive.name): removed, \(decision.words)\n")
    }
  }

  private func show(_ result: CreateBackup.Result) {
    guard output.isWatched else { return }
    Output.standard.write(CreateText.line(result))
  }

  private func tags() throws -> [String: String] {
    var tags: [String: String] = [:]
    for text in tag {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty else {
        throw ValidationError("--tag: \"\(text)\" is not KEY=VALUE")
      }
      guard parts[0] != Manifest.safetyTag else {
        throw ValidationError("--tag: \"\(parts[0])\" is kept for the backups that a restore takes")
      }
      tags[String(parts[0])] = String(parts[1])
    }
    return tags
  }
}

extension Verdict {
  /// The verdict for people.
  var words: String {
    switch self {
    case .valid: "valid"
    case .noChecksum: "valid, but the server wrote no checksum"
    case .integrityOnly: "checksum valid, contents newer than this tool"
    case .damaged: "damaged"
    }
  }
}
