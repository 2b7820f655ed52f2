import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations

/// Says whether there is a fresh, verified backup.
struct Status: BackupCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Is there a fresh, verified backup of each Redis? Ends with 0 or 79.")

  @Option(
    help: ArgumentHelp(
      "The age from which a backup is not fresh (default: 26h).", valueName: "span"),
    transform: TimeSpan.parse)
  var maxAge: TimeSpan?

  @Option(
    help: ArgumentHelp(
      "A backup below that share of the usual size is suspicious: nothing is removed (default: 50).",
      valueName: "percent"))
  var shrinkLimit: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Print the line of a Nagios plugin, and end with 0, 1, 2 or 3.")
  var nagios = false

  @OptionGroup var server: ServerOptions
  @OptionGroup var clientKey: ClientKeyOption
  @OptionGroup var archives: DirectoryOptions
  @OptionGroup var output: OutputOptions

  var clientKeyFile: String? { clientKey.key }

  func validate() throws {
    if let shrinkLimit, !(0...100).contains(shrinkLimit) {
      throw ValidationError("--shrink-limit: \(shrinkLimit) is not from 0 to 100")
    }
    if ["nagios", "json"].allSatisfy(Settings.current.isTyped) {
      throw ValidationError("--nagios and --json exclude each other")
    }
  }

  func run() async throws {
    var check = CheckStatus()
    if let maxAge { check.maximumAge = maxAge.duration }
    if let shrinkLimit { check.shrinkLimitPercent = shrinkLimit }
    let report = try check.run(
      in: archives.archiveDirectory(), source: archives.sourceName, now: Date())
    if nagios {
      Output.standard.write(StatusText.nagios(report))
      switch report.state {
      case .ok: return
      case .warning: throw ExitStatus.nagiosWarning
      case .critical: throw ExitStatus.nagiosCritical
      }
    }
    if output.json {
      try Output.standard.write(json: StatusDocument(report: report, place: place))
    } else if !output.quiet || report.state != .ok {
      Output.standard.write(StatusText.text(report, at: place))
    }
    if report.state != .ok { throw ExitStatus.stale }
  }
}

/// The document of `status --json`.
struct StatusDocument: Encodable {
  let report: StatusReport
  let place: CommandPlace

  func encode(to encoder: any Encoder) throws {
    try report.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(
      report.findings.map { finding in
        Finding(
          check: finding.check, state: finding.state, message: finding.message,
          hint: finding.next.map(place.line))
      }, forKey: .findings)
  }

  private enum CodingKeys: CodingKey {
    case findings
  }

  private struct Finding: Encodable {
    let check: String
    let state: StatusFinding.State
    let message: String
    let hint: String?

    enum CodingKeys: CodingKey {
      case check, state, message, hint
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(check, forKey: .check)
      try container.encode(state, forKey: .state)
      try container.encode(message, forKey: .message)
      try container.encode(hint, forKey: .hint)
    }
  }
}

/// What `status` tells people and Nagios.
enum StatusText {
  /// A line for each finding, and the next command below those that are not well.
  static func text(_ report: StatusReport, at place: CommandPlace) -> String {
    report.findings.map { finding in
      "\(finding.state.rawValue): \(line(finding.message))\n"
        + (finding.next.map { "  hint: \(place.line($0))\n" } ?? "")
    }.joined()
  }

  /// The line of a plugin: the worst first, then the performance data.
  static func nagios(_ report: StatusReport) -> String {
    let bad = report.findings.filter { $0.state == report.state }
    let shown = report.state == .ok ? report.findings.filter { $0.check == "age" } : bad
    let severalSources = report.sources.count > 1
    var data: [String] = []
    for figures in report.sources {
      // The quote, the equals sign and the bar mean something in a label.
      let label = severalSources ? "_" + (figures.source ?? "unknown").map(safe).joined() : ""
      func add(_ name: String, _ value: (some Any)?, _ rest: String = "") {
        if let value { data.append("'\(name)\(label)'=\(value)\(rest)") }
      }
      add("age", figures.ageSeconds, "s;;\(figures.maximumAgeSeconds);0")
      add("keys", figures.keys, ";;;0")
      add("rdb", figures.dumpBytes, "B;;;0")
      add("archive", figures.archiveBytes, "B;;;0")
    }
    if let free = report.freeBytes {
      data.append("'free'=\(free)B;\(report.nextThreeBytes):;\(report.nextThreeBytes / 3):;0")
    }
    return "RAIBID-BACKUP \(report.state.rawValue.uppercased()) - "
      + shown.map { line($0.message) }.joined(separator: "; ")
      + (data.isEmpty ? "" : " | " + data.joined(separator: " ")) + "\n"
  }

  /// The line of a plugin that could not look, whatever kept it from that.
  static func nagios(_ error: BackupError) -> String {
    "RAIBID-BACKUP UNKNOWN - \(line(error.message))\n"
  }

  /// Text in one line, without the bar that begins performance data.
  static func line(_ text: String) -> String {
    String(text.map { $0.isNewline || $0 == "|" ? " " : $0 })
  }

  private static func safe(_ character: Character) -> String {
    "'=|".contains(character) || character.isWhitespace ? "_" : String(character)
  }
}
