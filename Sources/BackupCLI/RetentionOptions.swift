import ArchiveStore
import ArgumentParser
import Operations

/// Which archives are kept.
struct RetentionOptions: ParsableArguments, Sendable {
  @Option(help: ArgumentHelp("Keep the newest N archives.", valueName: "n"))
  var keepLast: Int?

  @Option(help: ArgumentHelp("Keep the newest of each of N hours that have one.", valueName: "n"))
  var keepHourly: Int?

  @Option(help: ArgumentHelp("Keep the newest of each of N days.", valueName: "n"))
  var keepDaily: Int?

  @Option(help: ArgumentHelp("Keep the newest of each of N weeks.", valueName: "n"))
  var keepWeekly: Int?

  @Option(help: ArgumentHelp("Keep the newest of each of N months.", valueName: "n"))
  var keepMonthly: Int?

  @Option(help: ArgumentHelp("Keep the newest of each of N years.", valueName: "n"))
  var keepYearly: Int?

  @Option(
    help: ArgumentHelp("Keep all that are that much older than the newest.", valueName: "span"),
    transform: TimeSpan.parse)
  var keepWithin: TimeSpan?

  @Option(
    help: ArgumentHelp("Keep all with that tag; may be given again.", valueName: "key[=value]"))
  var keepTag: [String] = []

  @Option(
    help: ArgumentHelp(
      "How long the backups that restores take are kept (default: 30d).", valueName: "span"),
    transform: TimeSpan.parse)
  var keepSafety: TimeSpan?

  @Option(
    help: ArgumentHelp(
      "A backup below that share of the usual size is suspicious: nothing is removed (default: 50).",
      valueName: "percent"))
  var shrinkLimit: Int?

  func validate() throws {
    for (name, count) in counts {
      if let count, !(0...1_000_000).contains(count) {
        throw ValidationError("--keep-\(name): \(count) is not from 0 to 1000000")
      }
    }
    if let shrinkLimit, !(0...100).contains(shrinkLimit) {
      throw ValidationError("--shrink-limit: \(shrinkLimit) is not from 0 to 100")
    }
    if keepTag.contains(where: { $0.isEmpty || $0.hasPrefix("=") }) {
      throw ValidationError("--keep-tag: it is not KEY or KEY=VALUE")
    }
  }

  /// Whether any option of a policy is on the command line.
  var isTyped: Bool {
    ["keep-tag", "keep-within", "keep-safety", "shrink-limit"].contains(
      where: Settings.current.isTyped)
      || counts.contains { Settings.current.isTyped("keep-\($0.name)") }
  }

  /// The policy that the options describe.
  ///
  /// - Throws: `BackupError` when it keeps nothing.
  func policy() throws -> RetentionPolicy {
    var policy = RetentionPolicy()
    for (name, count) in counts {
      guard let count, let period = Self.periods[name] else { continue }
      policy.counts[period] = count
    }
    policy.within = keepWithin?.duration
    policy.tags = keepTag.map { text in
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return RetentionPolicy.Tag(
        key: String(parts[0]), value: parts.count == 2 ? String(parts[1]) : nil)
    }
    if let keepSafety { policy.safetySpan = keepSafety.duration }
    if let shrinkLimit { policy.shrinkLimitPercent = shrinkLimit }
    guard !policy.isEmpty else { throw BackupError.emptyPolicy() }
    return policy
  }

  private var counts: [(name: String, count: Int?)] {
    [
      ("last", keepLast), ("hourly", keepHourly), ("daily", keepDaily), ("weekly", keepWeekly),
      ("monthly", keepMonthly), ("yearly", keepYearly),
    ]
  }

  private static let periods: [String: RetentionPolicy.Period] = [
    "last": .last, "hourly": .hourly, "daily": .daily, "weekly": .weekly, "monthly": .monthly,
    "yearly": .yearly,
  ]
}
