import FoundationEssentials
import TestSupport
import Testing

@testable import ArchiveStore

/// What must hold for any history and any policy.
@Suite struct RetentionInvariantTests {
  private let now = Date(timeIntervalSince1970: 1_900_000_000)

  @Test(arguments: Seed.fresh(1000))
  func `no history and no policy break a promise`(seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let archives = history(using: &random)
    let policy = policy(using: &random)
    let decisions = try policy.decisions(for: archives.shuffled(using: &random), now: now)

    #expect(decisions.map(\.archive) == archives.sorted { $0.name > $1.name })
    let later = try policy.decisions(for: archives, now: now + 1e9)
    #expect(later == decisions, "the clock decides nothing")
    for decision in decisions where decision.removes {
      let archive = decision.archive
      #expect(!archive.isPinned && !archive.isNewer && archive.tags["keep"] == nil)
      #expect(archive.counts || archive.isSafetyBackup)
    }
    for source in Set(archives.map(\.source)) {
      let own = decisions.filter { $0.archive.source == source }
      let alone = try policy.decisions(for: own.map(\.archive), now: now)
      #expect(alone == own, "others change nothing")
      let counted = own.filter(\.archive.counts)
      #expect(counted.first?.removes != true)
      if own.contains(where: { $0.keepReasons.contains(.shrunk) }) {
        #expect(own.filter(\.removes).isEmpty)
      }
      expectPeriods(policy, counted)
    }

    let kept = decisions.filter { !$0.removes }.map(\.archive)
    let again = try policy.decisions(for: kept, now: now)
    #expect(again.filter(\.removes).isEmpty)
    var generous = policy
    for period in RetentionPolicy.Period.allCases {
      generous.counts[period, default: 0] += Int.random(in: 0...3, using: &random)
    }
    let more = try generous.decisions(for: archives, now: now)
    #expect(zip(decisions, more).allSatisfy { $0.removes || !$1.removes })
  }

  /// Finds the periods by text and by a calendar, as the policy does not.
  private func expectPeriods(_ policy: RetentionPolicy, _ counted: [RetentionDecision]) {
    for (period, digits, reason) in [
      (RetentionPolicy.Period.hourly, 11, RetentionDecision.KeepReason.hourly), (.daily, 8, .daily),
      (.weekly, 0, .weekly), (.monthly, 6, .monthly), (.yearly, 4, .yearly),
    ] {
      let count = policy.counts[period] ?? 0
      var seen: Set<String> = []
      var expected: Set<ArchiveName> = []
      for archive in counted.map(\.archive) {
        let stamp = archive.name.description.dropFirst("redis-dump-".count)
        let label = digits == 0 ? week(of: archive.name.date) : String(stamp.prefix(digits))
        if seen.count < count, seen.insert(label).inserted { expected.insert(archive.name) }
      }
      if let oldest = counted.last, expected.count < count { expected.insert(oldest.archive.name) }
      let found = counted.filter { $0.keepReasons.contains(reason) }.map(\.archive.name)
      #expect(Set(found) == expected, "\(period)")
    }
  }

  private func week(of date: Date) -> String {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = .gmt
    let parts = calendar.dateComponents([.yearForWeekOfYear, .weekOfYear], from: date)
    return "\(parts.yearForWeekOfYear ?? 0)-\(parts.weekOfYear ?? 0)"
  }

  private func history(using random: inout SplitMix) -> [RetentionCandidate] {
    let spreads: [Double] = [3600, 86400, 30 * 86400, 1000 * 86400]
    let spread = spreads.randomElement(using: &random) ?? 3600
    let names = Set(
      (0..<Int.random(in: 0...60, using: &random)).map { _ in
        ArchiveName(
          date: now - Double.random(in: 0...spread, using: &random),
          ordinal: Int.random(in: 1...2, using: &random))
      })
    return names.sorted().map { name in
      var archive = RetentionCandidate(
        name: name, source: [nil, "a/b", "c:1"].randomElement(using: &random) ?? nil)
      archive.state =
        [.verified, .verified, .verified, .verified, .unverified, .damaged]
        .randomElement(using: &random) ?? .verified
      archive.isNewer = Int.random(in: 0..<20, using: &random) == 0
      archive.isPinned = Int.random(in: 0..<20, using: &random) == 0
      if Int.random(in: 0..<10, using: &random) == 0 { archive.tags["pre-restore"] = "x" }
      if Int.random(in: 0..<20, using: &random) == 0 { archive.tags["keep"] = "x" }
      archive.keyCount = UInt64.random(in: 900...1000, using: &random)
      if Int.random(in: 0..<60, using: &random) == 0 { archive.keyCount = 1 }
      archive.dumpByteCount = UInt64.random(in: 0...2, using: &random) == 0 ? .max : .max / 2 + 9
      return archive
    }
  }

  private func policy(using random: inout SplitMix) -> RetentionPolicy {
    var policy = RetentionPolicy()
    for period in RetentionPolicy.Period.allCases where Bool.random(using: &random) {
      policy.counts[period] = Int.random(in: 0...8, using: &random)
    }
    if Bool.random(using: &random) {
      policy.within = .seconds(Int.random(in: 1...2_000_000, using: &random))
    }
    policy.tags = [RetentionPolicy.Tag(key: "keep", value: nil)]
    policy.safetySpan = .seconds(Int.random(in: 1...2_000_000, using: &random))
    return policy
  }
}
