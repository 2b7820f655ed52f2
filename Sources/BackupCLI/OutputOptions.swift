import ArgumentParser

/// How much is printed, and in which form.
struct OutputOptions: ParsableArguments, Sendable {
  @Flag(help: "Print exactly one JSON document.")
  var json = false

  @Flag(name: .shortAndLong, help: "Print errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, help: "Tell each step.")
  var verbose = false

  @Flag(help: "Show no progress line.")
  var noProgress = false

  /// Whether a person wants to read what went well: cron mails only what did not.
  var isWatched: Bool {
    verbose || (!quiet && (Output.standard.isTerminal || Output.error.isTerminal))
  }

  func validate() throws {
    if quiet && verbose { throw ValidationError("--quiet and --verbose exclude each other") }
  }
}
