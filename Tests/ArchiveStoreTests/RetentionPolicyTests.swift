import FoundationEssentials
import Testing

@testable import ArchiveStore

@Suite struct RetentionPolicyTests {
  private struct Case: CustomTestStringConvertible, Sendable {
    let policy: String
    let kept: [String: [RetentionDecision.KeepReason]]
    let removed: [String]
    var testDescription: String { policy }
  }

  private static let cases = [
    Case(
      policy: "last 2",
      kept: ["20261123T020000Z": [.newestVerified, .last], "20261122T020000Z": [.last]],
      removed: ["20261121T020000Z", "20261121T010000Z"]),
    Case(
      policy: "hourly 2",
      kept: ["20261123T025900Z": [.newestVerified, .hourly], "20261123T015900Z": [.hourly]],
      removed: ["20261123T020000Z", "20261123T010000Z", "20261122T235959Z"]),
    Case(
      policy: "daily 3",
      kept: [
        "20261123T020000Z": [.newestVerified, .daily], "20261121T235959Z": [.daily],
        "20261120T000000Z": [.daily],
      ],
      removed: ["20261121T020000Z", "20261119T020000Z"]),
    Case(
      policy: "daily 5",
      // The oldest stays as long as the count is not used up.
      kept: [
        "20261123T020000Z": [.newestVerified, .daily], "20261122T220000Z": [.daily],
        "20261122T020000Z": [.daily],
      ],
      removed: ["20261122T210000Z"]),
    Case(
      policy: "weekly 2",
      // The week begins on Monday: the 23rd of November 2026 is one.
      kept: ["20261123T000000Z": [.newestVerified, .weekly], "20261122T235959Z": [.weekly]],
      removed: ["20261121T020000Z", "20261116T000000Z", "20261115T235959Z"]),
    Case(
      policy: "weekly 3",
      // The days about New Year are one week.
      kept: [
        "20270103T020000Z": [.newestVerified, .weekly], "20261227T020000Z": [.weekly],
        "20261227T010000Z": [.weekly],
      ],
      removed: ["20270101T020000Z", "20261231T020000Z", "20261228T020000Z"]),
    Case(
      policy: "monthly 2",
      kept: ["20261201T000000Z": [.newestVerified, .monthly], "20261130T235959Z": [.monthly]],
      removed: ["20261101T000000Z", "20261031T000000Z"]),
    Case(
      policy: "yearly 2",
      kept: ["20270101T000000Z": [.newestVerified, .yearly], "20261231T235959Z": [.yearly]],
      removed: ["20260101T000000Z", "20251231T000000Z"]),
    Case(
      policy: "within 86400",
      kept: [
        "20261123T020000Z": [.newestVerified, .within], "20261122T020001Z": [.within],
      ],
      removed: ["20261122T020000Z"]),
    Case(
      policy: "daily 1 monthly 2",
      kept: [
        "20261123T020000Z": [.newestVerified, .daily, .monthly], "20261031T020000Z": [.monthly],
      ],
      removed: ["20261122T020000Z", "20261101T020000Z", "20261030T020000Z"]),
  ]

  @Test(arguments: cases)
  private func `each rule keeps what restic would keep`(_ expected: Case) throws {
    let names = Array(expected.kept.keys) + expected.removed
    let decisions = try RetentionPolicy(words: expected.policy)
      .decisions(for: names.map { archive($0) }, now: name("20280101T000000Z").date)
    #expect(decisions.map(\.archive.name) == names.map { name($0) }.sorted(by: >))
    for decision in decisions {
      let stamp = String(decision.archive.name.description.dropFirst("redis-dump-".count))
      #expect(
        decision.verdict == expected.kept[stamp].map { .keep($0) } ?? .remove(.notKept), "\(stamp)")
    }
  }

  @Test func `what does not count is kept, and takes the place of nothing`() throws {
    var damaged = archive("20261123T050000Z")
    damaged.state = .damaged
    var unverified = archive("20261123T040000Z")
    unverified.state = .unverified
    var newer = archive("20261123T030000Z")
    newer.isNewer = true
    var safety = archive("20261123T020000Z")
    safety.tags["pre-restore"] = "x"
    let verdicts = try verdicts(
      [
        damaged, unverified, newer, safety, archive("20261122T020000Z"),
        archive("20261121T020000Z"),
      ], "last 1")
    #expect(
      verdicts == [
        .keep([.damaged]), .keep([.unverified]), .keep([.newerManifest]), .keep([.safety]),
        .keep([.newestVerified, .last]), .remove(.notKept),
      ])
  }

  @Test func `pins and tags keep an archive, and it still counts`() throws {
    var pinned = archive("20261122T020000Z")
    pinned.isPinned = true
    var release = archive("20261121T020000Z")
    release.tags["release"] = "7"
    var other = archive("20261120T020000Z")
    other.tags["release"] = "6"
    var policy = RetentionPolicy(words: "daily 2")
    policy.tags = [RetentionPolicy.Tag(key: "release", value: "7")]
    let archives = [
      archive("20261123T020000Z"), pinned, release, other, archive("20261119T020000Z"),
    ]
    #expect(
      try verdicts(archives, policy) == [
        .keep([.newestVerified, .daily]), .keep([.daily, .pinned]), .keep([.tag]),
        .remove(.notKept), .remove(.notKept),
      ])
    policy.tags = [RetentionPolicy.Tag(key: "release", value: nil)]
    #expect(try verdicts(archives, policy)[3] == .keep([.tag]))
  }

  @Test func `safety backups go by their own age, before the newest backup`() throws {
    func safety(_ stamp: String) -> RetentionCandidate {
      var archive = archive(stamp)
      archive.tags["pre-restore"] = "x"
      return archive
    }
    let newest = archive("20261123T020000Z")
    #expect(
      try verdicts([newest, safety("20261024T020000Z"), safety("20261024T015959Z")], "last 1")
        == [.keep([.newestVerified, .last]), .keep([.safety]), .remove(.safetyExpired)])
    // Without a later backup it may be the last proof of the data.
    #expect(
      try verdicts([safety("20250101T020000Z"), safety("20240101T020000Z")], "last 1")
        == [.keep([.safety]), .keep([.safety])])
  }

  @Test func `each Redis is judged by itself`() throws {
    var archives = [archive("20261123T020000Z"), archive("20261122T020000Z")]
    for stamp in ["20251123T020000Z", "20251122T020000Z"] {
      archives.append(RetentionCandidate(name: name(stamp), source: "shop/redis-0"))
    }
    archives.append(RetentionCandidate(name: name("20241122T020000Z"), source: nil))
    #expect(
      try verdicts(archives, "last 1") == [
        .keep([.newestVerified, .last]), .remove(.notKept),
        .keep([.newestVerified, .last]), .remove(.notKept),
        .keep([.newestVerified, .last]),
      ])
  }

  @Test func `a policy that keeps nothing is refused`() {
    for policy in ["", "daily 0 weekly 0"] {
      #expect(throws: RetentionRefusal.emptyPolicy) { try verdicts([], policy) }
    }
  }

  @Test func `dates in the future and a clock that jumped stop everything`() throws {
    let future = archive("20280101T000101Z")
    #expect(throws: RetentionRefusal.datedInTheFuture(future.name)) {
      try verdicts([future, archive("20261123T020000Z")], "last 1")
    }
    #expect(try verdicts([archive("20280101T000100Z")], "last 1").count == 1)
    var jumped = archive("20261123T020000Z")
    for offset in [-86401.0, 86401] {
      jumped.serverDate = jumped.name.date + offset
      #expect(throws: RetentionRefusal.clockJumped(jumped.name)) {
        try verdicts([jumped, archive("20261122T020000Z")], "last 1")
      }
      // Once the clock is right again the old fault is history.
      #expect(try verdicts([archive("20261124T020000Z"), jumped], "last 1").count == 2)
    }
  }

  @Test(arguments: [true, false])
  func `an archive much smaller than usual holds all removing back`(byKeys: Bool) throws {
    func sized(_ night: Int, _ size: UInt64) -> RetentionCandidate {
      var archive = RetentionCandidate(
        name: ArchiveName(date: Sample.second + Double(night) * 86400), source: "a")
      archive.keyCount = byKeys ? size : 10
      archive.dumpByteCount = byKeys ? 10 : size
      return archive
    }
    let usual = (0..<12).map { sized($0, 1000) }
    #expect(try verdicts(usual, "last 2").filter { $0 == .remove(.notKept) }.count == 10)
    #expect(try verdicts(usual + [sized(12, 500)], "last 2").last == .remove(.notKept))

    let once = usual + [sized(12, 499)]
    let held = try verdicts(once, "last 2")
    #expect(held.first == .keep([.newestVerified, .last, .shrunk]))
    #expect(held.last == .keep([.heldBack]))
    #expect(!held.contains(.remove(.notKept)))

    // One bad night is remembered for ten.
    let later = once + (13..<22).map { sized($0, 1000) }
    #expect(try verdicts(later, "last 2")[9] == .keep([.shrunk]))
    #expect(try verdicts(later + [sized(22, 1000)], "last 2")[10] == .remove(.notKept))

    // A queue that stays small is the usual one after six.
    let five = usual + (12..<17).map { sized($0, 10) }
    #expect(try verdicts(five, "last 2").last == .keep([.heldBack]))
    #expect(try verdicts(five + [sized(17, 10)], "last 2").last == .remove(.notKept))
    // One that grows was never small.
    let grown = usual + (12..<18).map { sized($0, 100_000) }
    #expect(try verdicts(grown, "last 2").last == .remove(.notKept))

    // So it is where a policy keeps few, once there are ten.
    for goodCount in 1...4 {
      let good = (0..<goodCount).map { sized($0, 1000) }
      let nine = good + (goodCount..<9).map { sized($0, 10) }
      for count in (goodCount + 1)...9 {
        let verdicts = try verdicts(Array(nine.prefix(count)), "last 1")
        #expect(!verdicts.contains(.remove(.notKept)), "\(goodCount) of \(count)")
      }
      #expect(try verdicts(nine + [sized(9, 10)], "last 1").last == .remove(.notKept))
    }

    var policy = RetentionPolicy(words: "last 2")
    policy.shrinkLimitPercent = 0
    #expect(try verdicts(once, policy).last == .remove(.notKept))
  }

  private func verdicts(
    _ archives: [RetentionCandidate], _ policy: String
  ) throws -> [RetentionDecision.Verdict] {
    try verdicts(archives, RetentionPolicy(words: policy))
  }

  private func verdicts(
    _ archives: [RetentionCandidate], _ policy: RetentionPolicy
  ) throws -> [RetentionDecision.Verdict] {
    try policy.decisions(for: archives, now: name("20280101T000000Z").date).map(\.verdict)
  }

  private func archive(_ stamp: String) -> RetentionCandidate {
    RetentionCandidate(name: name(stamp), source: "raibid-redis/raibid-redis-master-0")
  }

  private func name(_ stamp: String) -> ArchiveName {
    // A stamp that is no name would be found out by the tests' expectations.
    ArchiveName("redis-dump-\(stamp)") ?? ArchiveName(date: .distantPast)
  }
}

extension RetentionPolicy {
  /// A policy such as "daily 14 weekly 8 within 3600".
  init(words: String) {
    self.init()
    let parts = words.split(separator: " ").map(String.init)
    for (word, number) in zip(parts, parts.dropFirst()) {
      guard let count = Int(number) else { continue }
      if word == "within" { within = .seconds(count) }
      for period in Period.allCases where "\(period)" == word { counts[period] = count }
    }
  }
}
