import ArgumentParser
import Operations

/// The root command.
struct RaibidBackup: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: Tool.name,
    abstract: "Backs up and restores a Redis or Valkey, and proves both.",
    discussion: """
      ARCHIVE is a path, a name in the directory, or "latest". A plain .rdb or a foreign .rdb.gz works \
      wherever an archive does.

      EXIT CODES:
      \(ExitStatus.table)
      """,
    version: Tool.version,
    subcommands: [
      Create.self, List.self, Inspect.self, Verify.self, Restore.self, Prune.self, Pin.self,
      Unpin.self, Status.self, Schedule.self, Config.self,
    ])

  func run() throws {
    // A cron line that lost its command must not look like a backup that was made.
    throw ValidationError("no command is given")
  }
}
