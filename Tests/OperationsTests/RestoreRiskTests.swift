import FoundationEssentials
import RDBFormat
import RedisClient
import Targets
import TestSupport
import Testing

@testable import Operations

struct RestoreRiskTests {
  private static let stream = StreamSummary(
    database: 0, key: Array("jobs".utf8), length: 100, firstID: StreamID("1-0"),
    lastID: StreamID("100-0"), lastGeneratedID: StreamID(milliseconds: 100, sequence: 0),
    maxDeletedID: nil, entriesAdded: 100,
    groups: [
      GroupSummary(
        name: Array("workers".utf8),
        lastDeliveredID: StreamID(milliseconds: 60, sequence: 0), entriesRead: 60, pending: 3,
        dangling: 0, consumers: [],
        pendingEntries: [58, 59, 60].map {
          PendingEntry(
            id: StreamID(milliseconds: $0, sequence: 0), consumer: Array("w".utf8),
            deliveredAt: 999_000_000, deliveries: 2)
        })
    ])

  private static func state(
    added: Int64? = 130, last: String = "130-0", delivered: String = "120-0", read: Int64? = 120
  ) -> StreamState {
    StreamState(
      length: 90, firstID: nil, lastID: last, lastGeneratedID: last, maxDeletedID: nil,
      entriesAdded: added,
      groups: [
        StreamState.Group(
          name: Array("workers".utf8), lastDeliveredID: delivered, entriesRead: read, pending: 1,
          consumers: [])
      ])
  }

  private static func candidate(source: String? = "ns/pod") -> RestoreCandidate {
    RestoreCandidate(
      path: "/b/x", name: "x", fileDigest: "f", dumpDigest: "d",
      summary: RDBSummary(
        format: .redis, version: 10, byteCount: 50_000_000, crc64: 1, checksum: .valid,
        aux: ["redis-ver": "7.0.15", "ctime": "1000000", "used-mem": "2000000"], verdict: .valid,
        content: RDBContent(
          keys: 10, expires: 2,
          databases: [DatabaseSummary(index: 0, keys: 10, expires: 2, expiredKeys: 1)],
          types: TypeCounts(string: 9, stream: 1), functions: 0, streamsTotal: 1,
          streams: [stream]), moduleNames: [], largestKeys: [], findings: []),
      source: source)
  }

  private func facts(
    _ state: StreamState?, pending: [UInt64] = [60], lines: String...
  ) -> RestoreFacts {
    var facts = RestoreSample.facts(
      status: ServerStatus(
        info: (["used_memory:60000000", "db0:keys=12,expires=0"] + lines)
          .joined(separator: "\r\n")))
    facts.present.streams = [
      PresentData.Stream(
        state: state,
        pending: [
          Array("workers".utf8): Set(pending.map { StreamID(milliseconds: $0, sequence: 0) })
        ])
    ]
    return facts
  }

  private func messages(
    _ facts: RestoreFacts, _ kind: RestoreRisk.Kind, source: String? = "ns/pod"
  ) -> [String] {
    let candidate = Self.candidate(source: source)
    return RestoreRisk.all(
      candidate, facts, RestoreFigures(candidate, facts, .init()),
      PendingReport(candidate, facts.present), .init()
    ).filter { $0.risk == kind }.map(\.message)
  }

  @Test func `what a stream would lose and do twice is counted`() {
    let facts = facts(Self.state())
    #expect(
      messages(facts, .entriesLost) == [
        "stream \"jobs\": 30 entries were added since, and are lost"
      ])
    #expect(
      messages(facts, .deliveredAgain) == [
        "stream \"jobs\", group \"workers\": 40 entries were delivered since, and will be again"
      ])
    #expect(
      messages(facts, .pendingAgain) == [
        "3 entries were pending when the backup was written: 2 have been acknowledged since, and will "
          + "be pending again (--pending report lists them)"
      ])
    #expect(
      messages(facts, .keysLost) == ["12 keys now, 10 in the backup: at least 2 are newer and lost"]
    )
    #expect(messages(facts, .keysExpired) == ["1 key of the backup expired meanwhile"])
  }

  @Test func `a server that does not count says up to where it has come`() {
    let facts = facts(Self.state(added: nil, read: nil))
    #expect(
      messages(facts, .entriesLost) == [
        "stream \"jobs\": entries up to 130-0 were added since 100-0, and are lost; their number is "
          + "not counted before Redis 7.0"
      ])
    #expect(
      messages(facts, .deliveredAgain) == [
        "stream \"jobs\", group \"workers\": entries after 60-0 were delivered since, and will be again"
      ])
  }

  @Test(arguments: [state(added: 90, last: "130-0"), state(added: 200, last: "50-0")])
  func `a stream that was made anew tells nothing of the jobs of the old one`(state: StreamState) {
    let facts = facts(state)
    #expect(
      messages(facts, .entriesLost) == [
        "stream \"jobs\" was made anew since: its 90 entries are lost"
      ])
    #expect(messages(facts, .deliveredAgain) == [])
    #expect(
      messages(facts, .pendingAgain) == [
        "3 entries were pending when the backup was written: what has become of 3 since cannot be told "
          + "(--pending report lists them)"
      ])
  }

  @Test func `a stream that stands still loses nothing`() {
    let facts = facts(
      Self.state(added: 100, last: "100-0", delivered: "60-0", read: 60), pending: [58, 59, 60])
    #expect(messages(facts, .entriesLost) == [] && messages(facts, .deliveredAgain) == [])
    #expect(
      messages(facts, .pendingAgain) == [
        "3 entries were pending when the backup was written, and are still (--pending report lists them)"
      ])
    #expect(RestoreFigures(Self.candidate(), facts, .init()).streams == [])
  }

  @Test func `a job tells its consumer, its deliveries and for how long it had been out`() throws {
    let report = PendingReport(Self.candidate(), facts(Self.state()).present)
    #expect(report.jobs.map(\.state) == [.acknowledged, .acknowledged, .pending])
    let job = try #require(report.jobs.first)
    #expect(job.idleSeconds == 1000 && job.entry.deliveries == 2)
    #expect(
      PendingReport(Self.candidate(), nil).jobs.map(\.state) == [.unknown, .unknown, .unknown])
  }

  @Test func `a time that no clock shows is no trap`() {
    let entry = PendingEntry(
      id: StreamID(milliseconds: 1, sequence: 0), consumer: nil, deliveredAt: .min,
      deliveries: .max)
    #expect(PendingReport.idleSeconds(of: entry, at: .max) > 0)
    #expect(PendingReport.idleSeconds(of: entry, at: .min) == 0)
  }

  @Test func `memory that the data needs and the server may not use is told`() {
    var facts = facts(nil, lines: "maxmemory:2000000")
    facts.nextStart = nil
    #expect(messages(facts, .memory) == [])
    let message =
      "the data took 1.9 MiB of memory when it was saved, and the server may use 1.0 MiB"
    facts.nextStart = NextStart(settings: ["maxmemory": "1MB"])
    #expect(messages(facts, .memory) == [message])
    facts.status = ServerStatus(info: "maxmemory:1048576")
    facts.nextStart = nil
    #expect(messages(facts, .memory) == [message])
    var pod = self.facts(nil, lines: "maxmemory:0")
    #expect(RestoreFigures(Self.candidate(), pod, .init()).memoryLimitBytes == nil)
    pod.memoryLimitByteCount = 1 << 20
    #expect(messages(pod, .memory).count == 1)
  }

  @Test(
    arguments: [
      ("maxmemory 1048576\nmaxmemory-policy allkeys-lru\nsave 900 1\n", [], []),
      ("maxmemory 1mb\nmaxmemory-policy allkeys-lru\n", [], []),
      ("maxmemory 1mb\n", ["--maxmemory-policy", "allkeys-lru", "--save", "900", "1"], []),
      (
        "maxmemory 1g\nsave 60 5\n", ["--save", "900 1"],
        [
          "maxmemory is 1.0 MiB now, and 953.7 MiB after the restart",
          "maxmemory-policy is allkeys-lru now, and noeviction after the restart",
          "save is \"900 1\" now, and \"60 5 900 1\" after the restart",
        ]
      ),
      (
        "save 900 1\nmaxmemory-policy allkeys-lru\n", ["--save", "", "--maxmemory", "0"],
        [
          "maxmemory is 1.0 MiB now, and without limit after the restart",
          "save is \"900 1\" now, and \"\" after the restart",
        ]
      ),
      ("include conf.d/*.conf\nmaxmemory $(SIZE)\n", [], []),
    ] as [(String, [String], [String])])
  func `what was set while the server runs and goes with its restart is told`(
    file: String, arguments: [String], expected: [String]
  ) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/redis.conf"
      try Data(file.utf8).write(to: URL(filePath: path))
      var facts = facts(nil, lines: "maxmemory:1048576", "maxmemory_policy:allkeys-lru")
      facts.nextStart = try await NextStart.read(
        file: path, arguments: arguments, from: LocalVolume())
      #expect(
        messages(facts, .nextStart) == expected.map { $0 + ", as the configuration says" })
    }
  }

  @Test func `who else is connected is told by host and name`() {
    var facts = facts(nil, lines: "connected_clients:4")
    #expect(messages(facts, .clients) == ["3 other clients are connected"])
    facts.present.refusals.clients = "NOPERM no"
    #expect(
      messages(facts, .clients) == [
        "3 other clients are connected; who they are is not known, since NOPERM no"
      ])
    facts.present.clients = [
      "id=5 addr=10.0.0.7:4711 laddr=10.0.0.1:6379 fd=8 name=worker-1 age=9 cmd=xreadgroup user=default",
      "id=6 addr=10.0.0.7:4712 name=worker-1 cmd=xack", "id=7 addr=[::1]:1 name= cmd=NULL", "x",
    ].compactMap { ClientConnection(line: Substring($0)) }
    #expect(
      messages(facts, .clients) == [
        "connected: 2 from 10.0.0.7 as \"worker-1\", last command xreadgroup",
        "connected: 1 from [::1], last command NULL",
      ])
  }

  @Test func `writes are refused longer for more data, a safety backup and a pod`() {
    let facts = facts(nil)
    let seconds = { (facts: RestoreFacts, options: RestoreMachine.Options) in
      RestoreMachine.refusalSeconds(Self.candidate().summary, facts, options)
    }
    let usual = seconds(facts, .init())
    #expect(seconds(facts, RestoreMachine.Options(safetyBackup: false)) < usual)
    var pod = facts
    pod.isInCluster = true
    #expect(seconds(pod, .init()) > usual)
    #expect(seconds(self.facts(nil, lines: "rdb_last_bgsave_time_sec:30"), .init()) > usual + 25)
    #expect(messages(facts, .writesRefused).first?.contains("an estimate") == true)
  }

  @Test(arguments: [
    (
      ObjectManager.flux(kind: "kustomization", name: "apps", namespace: "flux-system"),
      "statefulset/s is managed by Flux; pause it: flux suspend kustomization apps -n flux-system; "
        + "afterwards: flux resume kustomization apps -n flux-system"
    ),
    (
      .argo(application: "queue"),
      "statefulset/s is managed by Argo CD; pause it: argocd app set queue --sync-policy none; "
        + "afterwards: argocd app set queue --sync-policy automated"
    ),
    (
      .helm(release: "cache", namespace: "shop"),
      "statefulset/s is managed by the Helm release cache in shop: run no helm upgrade meanwhile"
    ),
    (
      .chart(instance: "cache"),
      "statefulset/s comes from a Helm chart that another tool has rendered (instance cache): if that "
        + "is Argo CD or Flux, pause it"
    ),
    (
      .operator(kind: "Redis", name: "r"),
      "statefulset/s belongs to Redis r: its operator may restart or change it meanwhile; pause it"
    ),
  ])
  func `who manages the server is told with the command that pauses it`(
    manager: ObjectManager, message: String
  ) {
    var facts = facts(nil)
    facts.concerns = [.managed(object: "statefulset/s", by: manager)]
    #expect(messages(facts, .managed) == [message])
  }

  @Test func `every phase but the last has a way back in the plan`() throws {
    let facts = facts(Self.state())
    let machine = try RestoreMachine.plan(
      RestoreSample.facts(), RestoreSample.candidate(), .init(), stamp: "S")
    let plan = RestorePlan(
      machine.stages.flatMap(\.steps), candidate: Self.candidate(), facts: facts,
      files: machine.files, options: .init())
    #expect(
      plan.waysBack.map(\.phase) == [
        "begun", "staged", "refusing_writes", "kept", "swapped", "served",
      ])
    for (way, phase) in zip(plan.waysBack, RestorePhase.allCases) {
      let back = RestoreMachine.rollback(from: phase)
      #expect(way.steps.map(\.step) == back.undo + back.tidy)
    }
  }
}
