import ArchiveStore
import FoundationEssentials
import Operations

/// What `prune` tells people.
enum PruneText {
  /// A row for each archive, with the reasons.
  static func table(_ decisions: [RetentionDecision], dryRun: Bool, now: Date) -> String {
    let severalSources = Set(decisions.compactMap(\.archive.source)).count > 1
    let headings = ["NAME", "AGE", "KEYS", "ARCHIVE", "DECISION", "WHY"]
    let rows = decisions.map { decision in
      let archive = decision.archive
      return [
        archive.name.description, Figures.duration(now.timeIntervalSince(archive.name.date)),
        "\(archive.keyCount)", Figures.bytes(archive.fileByteCount),
        decision.removes ? "remove" : "keep", decision.words,
      ] + (severalSources ? [archive.source ?? "?"] : [])
    }
    let removed = decisions.filter(\.removes)
    let bytes = removed.reduce(UInt64(0)) { $0 &+ $1.archive.fileByteCount }
    return Table.text(headings + (severalSources ? ["SOURCE"] : []), rows)
      + "\(decisions.count - removed.count) kept, \(removed.count) "
      + (dryRun ? "would be removed" : "removed") + ", \(Figures.bytes(bytes))\n"
  }

  /// What a person should know although nothing failed.
  static func warnings(_ decisions: [RetentionDecision]) -> [String] {
    decisions.filter { $0.keepReasons.contains(.shrunk) }.map { decision in
      "\(decision.archive.name) is much smaller than those before it"
        + (decision.archive.source.map { " (\($0))" } ?? "") + "; nothing of its Redis is removed"
    }
  }
}

extension RetentionDecision {
  /// Why, for people.
  var words: String {
    switch verdict {
    case .keep(let reasons): reasons.map(\.words).joined(separator: ", ")
    case .remove(.notKept): "no rule keeps it"
    case .remove(.safetyExpired): "before a restore, too old"
    }
  }
}

extension RetentionDecision.KeepReason {
  fileprivate var words: String {
    switch self {
    case .newestVerified: "newest verified"
    case .last: "last"
    case .hourly: "hourly"
    case .daily: "daily"
    case .weekly: "weekly"
    case .monthly: "monthly"
    case .yearly: "yearly"
    case .within: "within the span"
    case .tag: "tag"
    case .pinned: "pinned"
    case .shrunk: "much smaller than usual"
    case .heldBack: "held back, another one is much smaller than usual"
    case .safety: "before a restore"
    case .unverified: "not verified"
    case .damaged: "damaged, remove it by hand"
    case .newerManifest: "of a newer version"
    }
  }
}
