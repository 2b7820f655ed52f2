import ArgumentParser
import Operations

extension ExpiryRule: ExpressibleByArgument {}

/// Which keys of an archive are restored, and how.
struct KeyOptions: ParsableArguments, Sendable {
  @Option(help: "Write only this key, into the running server; may be given again.")
  var key: [String] = []

  @Option(
    help: ArgumentHelp(
      "Write only the keys that match, as KEYS does; may be given again.", valueName: "glob"))
  var match: [String] = []

  @Option(help: ArgumentHelp("Only keys of this database (default: all).", valueName: "n"))
  var database: UInt64?

  @Flag(help: "Replace keys that are there.")
  var replace = false

  @Option(
    help: "Expiry times: keep them, extend them by the backup's age, or drop them (default: keep).")
  var ttl: ExpiryRule?

  /// Whether only some keys are wanted.
  var isGiven: Bool { !key.isEmpty || !match.isEmpty }

  /// The keys that are wanted.
  var choice: KeyChoice {
    KeyChoice(
      keys: key.map { Array($0.utf8) }, patterns: match.map { Array($0.utf8) },
      database: database)
  }

  func validate() throws {
    if !isGiven, ["database", "replace", "ttl"].contains(where: Settings.current.isTyped) {
      throw ValidationError("--database, --replace and --ttl go with --key or --match")
    }
  }
}
