import ArchiveStore
import FoundationEssentials

/// One thing that a check of the archives looked at.
public struct StatusFinding: Sendable, Equatable {
  /// How bad it is.
  public enum State: String, Sendable, Codable, Comparable {
    /// As it should be.
    case ok
    /// Somebody should look.
    case warning
    /// There may be nothing to restore.
    case critical

    /// The better state first.
    public static func < (left: State, right: State) -> Bool { left.rank < right.rank }

    private var rank: Int {
      switch self {
      case .ok: 0
      case .warning: 1
      case .critical: 2
      }
    }
  }

  /// A stable word for programs: `age`, `size`, `restores` or `space`.
  public let check: String
  /// How bad it is.
  public let state: State
  /// The same for people.
  public let message: String
  /// The next command to run; nil when all is well.
  public let next: NextCommand?

  /// Creates a finding; only the sentences beside this type do.
  private init(
    _ check: String, _ state: State, _ message: String, hint: NextCommand? = nil
  ) {
    self.check = check
    self.state = state
    self.message = message
    next = hint
  }
}

extension StatusFinding {
  static func noBackup(_ source: String?) -> StatusFinding {
    StatusFinding(
      "age", .critical, "there is no verified archive" + (source.map { " of \($0)" } ?? ""),
      hint: .tool("create"))
  }

  static func datedInTheFuture(_ newest: String) -> StatusFinding {
    StatusFinding(
      "age", .critical, "\(newest) is dated in the future, so that its age means nothing",
      hint: "date -u")
  }

  static func age(
    _ source: String?, newest: String, ageSeconds: Int, maximumAgeSeconds: Int
  ) -> StatusFinding {
    let limit = Figures.duration(Double(maximumAgeSeconds))
    let age = Figures.duration(Double(ageSeconds))
    let fact = "the newest verified archive\(of(source)) is \(age) old"
    return ageSeconds <= maximumAgeSeconds
      ? StatusFinding("age", .ok, fact)
      : StatusFinding("age", .critical, "\(fact), more than \(limit)", hint: .tool("create"))
  }

  static func size(_ figures: StatusReport.Source, isShrunk: Bool) -> StatusFinding {
    guard let newest = figures.newest, let keys = figures.keys, let bytes = figures.dumpBytes else {
      return StatusFinding("size", .ok, "there is nothing to compare\(of(figures.source))")
    }
    var fact = "\(Figures.count(keys, "key")), \(Figures.bytes(bytes))\(of(figures.source))"
    guard let usualKeys = figures.usualKeys, let usualBytes = figures.usualDumpBytes else {
      return StatusFinding("size", .ok, "\(fact); too few archives to compare with")
    }
    fact += "; usual are \(Figures.count(usualKeys, "key")), \(Figures.bytes(usualBytes))"
    return isShrunk
      ? StatusFinding(
        "size", .warning, "the newest archive is much smaller than usual: \(fact)",
        hint: .archives("inspect \(newest)"))
      : StatusFinding("size", .ok, fact)
  }

  static func noUnfinishedRestore() -> StatusFinding {
    StatusFinding("restores", .ok, "no restore is unfinished")
  }

  static func unfinishedRestore(_ target: String) -> StatusFinding {
    StatusFinding(
      "restores", .critical, "a restore of \(target) has begun and not ended",
      hint: .archives("restore --resume \(options(leadingTo: target))"))
  }

  /// The options that lead to a server, from what its archives call it.
  private static func options(leadingTo target: String) -> String {
    let inCluster = target.split(separator: "/", maxSplits: 1).map(String.init)
    if inCluster.count == 2 {
      let selector = inCluster[1].hasPrefix("selector/")
      let pod = selector ? inCluster[1].dropFirst("selector/".count) : inCluster[1][...]
      return "--namespace \(shellWord(inCluster[0])) \(selector ? "--selector" : "--pod") "
        + shellWord(String(pod))
    }
    guard let colon = target.lastIndex(of: ":") else { return "" }
    let host = shellWord(String(target[..<colon]))
    return "--target local --host \(host) --port \(target[target.index(after: colon)...])"
  }

  static func space(
    _ directory: String, free: UInt64, need: UInt64, next: Double
  ) -> StatusFinding {
    let fact =
      "\(Figures.bytes(free)) are free; the next three backups take \(Figures.bytes(need))"
    let state: State = free >= need ? .ok : Double(free) >= next ? .warning : .critical
    return StatusFinding(
      "space", state, fact, hint: state == .ok ? nil : "df -h \(shellWord(directory))")
  }

  private static func of(_ source: String?) -> String { source.map { " of \($0)" } ?? "" }
}
