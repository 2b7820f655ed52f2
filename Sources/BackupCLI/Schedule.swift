import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations

/// Prints what has a backup made every night.
struct Schedule: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Print a crontab line, systemd units or a Kubernetes CronJob for a nightly backup.",
    discussion: "Takes the options of create, which the nightly run gets.",
    subcommands: [Cron.self, Systemd.self, Kubernetes.self])

  func run() throws {
    throw ValidationError("which schedule? cron, systemd or kubernetes")
  }

  /// Prints lines for a crontab.
  struct Cron: ScheduleCommand {
    static let configuration = CommandConfiguration(
      commandName: "cron",
      abstract: "Print lines for a crontab.",
      usage: "\(Tool.name) schedule cron <options>",
      discussion: "For example: (crontab -l; raibid-backup schedule cron) | crontab -")

    @OptionGroup var create: Create
    @OptionGroup var time: NightlyTime

    func run() async throws {
      try Output.standard.write(nightlyRun().crontab)
    }
  }

  /// Prints units of systemd.
  struct Systemd: ScheduleCommand {
    static let configuration = CommandConfiguration(
      commandName: "systemd",
      abstract: "Print a service and a timer of systemd.",
      usage: "\(Tool.name) schedule systemd <options>",
      discussion: """
        For example: raibid-backup schedule systemd --unit timer \
        > /etc/systemd/system/raibid-backup.timer
        """)

    /// One of the two files.
    enum Unit: String, ExpressibleByArgument, CaseIterable {
      case service, timer
    }

    @OptionGroup var create: Create
    @OptionGroup var time: NightlyTime

    @Option(help: "Print this one only: service or timer.")
    var unit: Unit?

    func run() async throws {
      let night = try nightlyRun(without: ["--unit"])
      if let file = Settings.current.file, !file.isRoots {
        Output.error.write(
          "warning: the service runs as root, which does not use another user's \(file.path); "
            + "chown root \(shellWord(file.path))\n")
      }
      switch unit {
      case .service: Output.standard.write(night.service)
      case .timer: Output.standard.write(night.timer)
      case nil:
        let directory = "/etc/systemd/system/raibid-backup"
        Output.standard.write(
          "# \(directory).service\n\(night.service)\n# \(directory).timer\n\(night.timer)")
      }
    }
  }
}

/// When a night's run begins.
struct NightlyTime: ParsableArguments, Sendable {
  /// A time of day.
  struct Clock: Sendable, Equatable {
    let hour: Int
    let minute: Int
  }

  @Option(
    help: ArgumentHelp("When, on the clock of that host (default: 02:17).", valueName: "hh:mm"),
    transform: clock)
  var at = Clock(hour: 2, minute: 17)

  private static func clock(_ text: String) throws -> Clock {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ (1...2).contains($0.count) }),
      parts.allSatisfy({ $0.utf8.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) }),
      let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60
    else { throw ValidationError("\"\(text)\" is not a time such as 02:17") }
    return Clock(hour: hour, minute: minute)
  }
}

/// A command that prints how `create` is run each night.
protocol ScheduleCommand: BackupCommand {
  var create: Create { get }
  var time: NightlyTime { get }
}

extension ScheduleCommand {
  /// The nightly run reads the file itself; what it says about `create` must hold here too.
  static var sections: [String] { ["create", "schedule"] }
  var server: ServerOptions { create.server }
  var archives: DirectoryOptions { create.archives }
  var clientKeyFile: String? { create.clientKeyFile }

  /// The run with the options that were given, and what it needs of the environment.
  ///
  /// - Parameter ownOptions: Options of this command alone, which `create` does not have.
  func nightlyRun(without ownOptions: Set<String> = []) throws -> NightlyRun {
    // A wrong setting should be told today, not found in the log of a night.
    let settings = try create.connectionSettings(readsPasswordFile: false)
    do {
      _ = try create.connectionSettings()
    } catch let error as BackupError {
      // It may be that of another host, or come later.
      Output.error.write("warning: \(error.message)\n")
    }
    if create.prune { _ = try create.retention.policy() }
    let environment = Environment.current
    if environment.password != nil, settings.password == environment.password {
      Output.error.write(
        "warning: REDISCLI_AUTH will not be set at night; name a file with --password-file\n")
    }
    warnOfSecrets()
    let words = CommandLine.arguments.dropFirst(3)
    let values = Settings.current.settings.filter {
      if case .variable = $0.origin { true } else { false }
    }.flatMap(\.values)
    guard !(words + values).contains(where: { $0.contains { $0.isNewline } }) else {
      throw ValidationError("an option with a line break cannot stand in a schedule")
    }
    return try NightlyRun(
      at: time.at, words: Array(words), without: ownOptions.union(["--at"]),
      directory: archives.archiveDirectory().path,
      metricsFile: create.metrics.metricsFile,
      environment: environment)
  }

  /// What is printed is read by others; the file with settings need not be.
  private func warnOfSecrets() {
    for setting in Settings.current.settings where setting.option.isSecret {
      guard case .variable(let name) = setting.origin else { continue }
      Output.error.write(
        "warning: \(name) is left out, since it may hold a secret; "
          + "set \(setting.option.key) in the file with settings\n")
    }
    if Settings.current.isTyped("heartbeat-url") {
      Output.error.write(
        "warning: the URL of --heartbeat-url is a secret; set heartbeat_url in the file with settings\n"
      )
    }
  }
}
