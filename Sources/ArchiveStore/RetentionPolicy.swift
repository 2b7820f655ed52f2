import FoundationEssentials

/// Which archives are worth keeping.
///
/// The rules are those of restic's `forget`, in UTC: each count keeps the newest archive of that many
/// hours, days, weeks (from Monday), months or years that have one, and the oldest archive as long as a count is
/// not used up. Spans are measured back from the newest archive of a Redis, not from now: a
/// clock that is wrong, or a month without backups, removes nothing.
public struct RetentionPolicy: Sendable, Equatable {
  /// What a count is of.
  public enum Period: Sendable, CaseIterable {
    case last, hourly, daily, weekly, monthly, yearly
  }

  /// A tag that is kept, with any value or with one.
  public struct Tag: Sendable, Equatable {
    let key: String
    let value: String?

    /// Creates it; no value stands for every value.
    public init(key: String, value: String?) {
      self.key = key
      self.value = value
    }
  }

  /// How many archives of a period are kept.
  public var counts: [Period: Int] = [:]
  /// The span before the newest archive in which all are kept.
  public var within: Duration?
  /// The tags that are kept.
  public var tags: [Tag] = []
  /// How much older than the newest archive a safety backup may get.
  public var safetySpan = Duration.seconds(30 * 86400)
  /// The share of the usual size below which an archive stops all removing.
  public var shrinkLimitPercent = 50

  /// A policy that keeps nothing yet.
  public init() {}

  /// Whether it says nothing of what is to be kept.
  public var isEmpty: Bool {
    counts.values.allSatisfy { $0 <= 0 } && within == nil && tags.isEmpty
  }

  /// Decides about all archives of a directory, each Redis by itself.
  ///
  /// - Parameter now: The time by this host's clock; nothing else of the decision depends on it.
  /// - Returns: One decision for each archive, newest first.
  /// - Throws: ``RetentionRefusal`` when nothing may be removed.
  public func decisions(
    for archives: [RetentionCandidate], now: Date
  ) throws(RetentionRefusal) -> [RetentionDecision] {
    guard !isEmpty else { throw .emptyPolicy }
    let sorted = archives.sorted { $0.name > $1.name }
    // Hosts that share a directory never agree to the second.
    if let newest = sorted.first, newest.name.date > now + Self.clockTolerance {
      throw .datedInTheFuture(newest.name)
    }
    var verdicts: [ArchiveName: RetentionDecision.Verdict] = [:]
    for group in Dictionary(grouping: sorted, by: \.source).values {
      try decide(group, into: &verdicts)
    }
    return sorted.map {
      RetentionDecision(archive: $0, verdict: verdicts[$0.name] ?? .keep([.unverified]))
    }
  }

  private static let clockTolerance: TimeInterval = 60
  private static let jumpTolerance: TimeInterval = 86400

  /// Decides about the archives of one Redis, newest first.
  private func decide(
    _ group: [RetentionCandidate], into verdicts: inout [ArchiveName: RetentionDecision.Verdict]
  ) throws(RetentionRefusal) {
    let counted = group.filter(\.counts)
    if let newest = counted.first, let serverDate = newest.serverDate,
      abs(newest.name.date.timeIntervalSince(serverDate)) > Self.jumpTolerance
    {
      throw .clockJumped(newest.name)
    }
    let shrunk = SizeHistory(counted, shrinkLimitPercent: shrinkLimitPercent).shrunk
    var reasons = reasonsOfCounted(counted)
    for name in shrunk { reasons[name, default: []].append(.shrunk) }
    for archive in group {
      let all = (reasons[archive.name] ?? []) + ownReasons(archive, newest: counted.first)
      if !all.isEmpty {
        verdicts[archive.name] = .keep(all)
      } else if !shrunk.isEmpty {
        verdicts[archive.name] = .keep([.heldBack])
      } else {
        verdicts[archive.name] = .remove(archive.isSafetyBackup ? .safetyExpired : .notKept)
      }
    }
  }

  /// What the counts and spans keep of the archives that count, newest first.
  private func reasonsOfCounted(
    _ counted: [RetentionCandidate]
  ) -> [ArchiveName: [RetentionDecision.KeepReason]] {
    var reasons: [ArchiveName: [RetentionDecision.KeepReason]] = [:]
    guard let newest = counted.first, let oldest = counted.last else { return reasons }
    reasons[newest.name] = [.newestVerified]
    for period in Period.allCases {
      var left = counts[period] ?? 0
      var last: Int?
      for (index, archive) in counted.enumerated() where left > 0 {
        let bucket = period.bucket(of: archive.name.date, index: index)
        guard bucket != last || archive.name == oldest.name else { continue }
        last = bucket
        left -= 1
        reasons[archive.name, default: []].append(period.reason)
      }
    }
    if let within {
      for archive in counted where Self.age(of: archive, before: newest) < within {
        reasons[archive.name, default: []].append(.within)
      }
    }
    return reasons
  }

  /// What keeps an archive whatever the others are.
  private func ownReasons(
    _ archive: RetentionCandidate, newest: RetentionCandidate?
  ) -> [RetentionDecision.KeepReason] {
    var reasons: [RetentionDecision.KeepReason] = []
    if archive.isPinned { reasons.append(.pinned) }
    if tags.contains(where: { tag in
      archive.tags[tag.key].map { tag.value == nil || tag.value == $0 } ?? false
    }) {
      reasons.append(.tag)
    }
    if archive.isNewer {
      reasons.append(.newerManifest)
    } else if archive.isSafetyBackup {
      // Without a later backup it may be the last proof of the data.
      let age = newest.map { Self.age(of: archive, before: $0) }
      if age.map({ $0 <= safetySpan }) ?? true { reasons.append(.safety) }
    } else if archive.state == .damaged {
      reasons.append(.damaged)
    } else if archive.state == .unverified {
      reasons.append(.unverified)
    }
    return reasons
  }

  private static func age(
    of archive: RetentionCandidate, before newest: RetentionCandidate
  ) -> Duration {
    .seconds(newest.name.date.timeIntervalSince(archive.name.date))
  }
}

extension RetentionPolicy.Period {
  fileprivate var reason: RetentionDecision.KeepReason {
    switch self {
    case .last: .last
    case .hourly: .hourly
    case .daily: .daily
    case .weekly: .weekly
    case .monthly: .monthly
    case .yearly: .yearly
    }
  }

  /// A number that archives of the same period share.
  fileprivate func bucket(of date: Date, index: Int) -> Int {
    // Dates come from names of four-digit years.
    let seconds = Int(date.timeIntervalSince1970.rounded(.down))
    let day = Self.floor(seconds, 86400)
    switch self {
    case .last: return index
    case .hourly: return Self.floor(seconds, 3600)
    case .daily: return day
    // 1 January 1970 was a Thursday.
    case .weekly: return Self.floor(day + 3, 7)
    case .monthly, .yearly:
      let parts = Self.calendar.dateComponents([.year, .month], from: date)
      let year = parts.year ?? 0
      return self == .yearly ? year : year * 12 + (parts.month ?? 0)
    }
  }

  private static func floor(_ value: Int, _ divisor: Int) -> Int {
    value >= 0 ? value / divisor : -((divisor - 1 - value) / divisor)
  }

  private static let calendar: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    return calendar
  }()
}
