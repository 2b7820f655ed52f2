import ArgumentParser

/// How much is printed, and in which form.
struct OutputOptions: ParsableArguments, Sendable {
  @Flag(inversion: .prefixedNo, help: "Print exactly one JSON document.")
  var json = false

  @Flag(name: .shortAndLong, inversion: .prefixedNo, help: "Print errors only.")
  var quiet = false

  @Flag(name: .shortAndLong, inversion: .prefixedNo, help: "Tell each step.")
  var verbose = false

  @Flag(inversion: .prefixedNo, help: "Show a progress line on a terminal.")
  var progress = true

  /// Whether a person wants to read what went well: cron mails only what did not.
  var isWatched: Bool {
    verbose || (!quiet && (Output.standard.isTerminal || Output.error.isTerminal))
  }

  mutating func validate() throws {
    guard quiet && verbose else { return }
    let settings = Settings.current
    let (quietDistance, verboseDistance) = (
      settings.distance(of: "quiet"), settings.distance(of: "verbose")
    )
    guard quietDistance != verboseDistance else {
      throw ValidationError("--quiet and --verbose exclude each other")
    }
    quiet = quietDistance < verboseDistance
    verbose = !quiet
  }
}
