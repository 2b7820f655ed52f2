import FoundationEssentials
import TestSupport
import Testing

/// What becomes of a backup while another server becomes the primary: two real servers behind a kubectl
/// that acts on this host.
@Suite struct FailoverTests {
  private struct Document: Decodable {
    struct Source: Decodable {
      let pod: String
      let role: String
    }

    struct Content: Decodable {
      let keys: Int
    }

    let source: Source
    let content: Content
  }

  /// When the old primary gives way.
  enum Moment: String, CaseIterable {
    /// Between the search and the first look of the backup itself.
    case found
    /// When its bytes are on their way, and all of them come.
    case copied
    /// The same, but their end is lost.
    case cut
  }

  @Test(arguments: Moment.allCases)
  func `after a failover the new primary is backed up, and never the old one`(
    moment: Moment
  ) async throws {
    try await FakePair.with { pair in
      try pair.failOver(at: moment)
      let outcome = try await pair.tool("create", "--json", "-l", "app=queue", "--via", "cp")
      try #require(outcome.status == 0, "\(outcome)")
      let document = try outcome.json(Document.self)
      #expect(document.source.pod == "queue-1" && document.source.role == "master")
      #expect(document.content.keys == 2001)
      #expect(outcome.error.contains("; trying again in 1 s"), "\(outcome)")
      #expect(try names(in: pair.first.archives).count == 3)
    }
  }

  @Test func `the same over the replication stream`() async throws {
    try await FakePair.with { pair in
      // Seen by the second look: a dump that has begun is sent to its end.
      try await pair.first.server.cli("CONFIG", "SET", "rdb-key-save-delay", "500")
      let outcome = try await pair.tool.run(
        ["create", "--json", "-l", "app=queue", "--via", "replication"]
      ) { _ in
        try await eventually("the dump is being made") {
          try await pair.first.server.cli("INFO", "persistence")
            .contains("rdb_bgsave_in_progress:1")
        }
        try await pair.failOver()
      }
      try #require(outcome.status == 0, "\(outcome)")
      #expect(try outcome.json(Document.self).source.pod == "queue-1")
      #expect(try outcome.json(Document.self).content.keys == 2001)
    }
  }

  @Test func `a pod that is named is not followed to where its primary went`() async throws {
    try await FakePair.with { pair in
      try pair.failOver(at: .copied)
      let outcome = try await pair.tool("create", "--pod", "queue-0", "--via", "cp")
      #expect(outcome.status == 69, "\(outcome)")
      #expect(
        outcome.error.contains(
          "raibid-backup: cannot back up raibid-redis/queue-0: "
            + "it was the primary when this run began, and is a replica now\n"), "\(outcome)")
      #expect(try names(in: pair.first.archives) == [])
    }
  }

  @Test func `a failover that takes a while is waited for`() async throws {
    try await FakePair.with { pair in
      try pair.failOver(at: .copied, promotes: false)
      let outcome = try await pair.tool.run(
        ["create", "--json", "-l", "app=queue", "--via", "cp"]
      ) { processID in
        try await eventually("nobody is the primary") {
          try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
            .contains("takes writes")
        }
        try await pair.failOver()
      }
      try #require(outcome.status == 0, "\(outcome)")
      #expect(outcome.error.contains("no pod that matches app=queue takes writes"), "\(outcome)")
      #expect(try outcome.json(Document.self).source.pod == "queue-1")
    }
  }

  @Test(arguments: [
    (["NO", "ONE"], "several pods that match app=queue take writes"),
    (["127.0.0.1", "1"], "no pod that matches app=queue takes writes"),
  ])
  func `a failover that is under way when a backup begins is waited for`(
    role: [String], fact: String
  ) async throws {
    try await FakePair.with { pair in
      #expect(try await pair.tool("create", "-l", "app=queue").status == 0)
      // For a while both are the primary, or none is.
      let changed = role[0] == "NO" ? pair.second : pair.first.server
      try await changed.cli(["REPLICAOF"] + role)
      let refused = try await pair.tool("restore", "latest", "--dry-run", "-l", "app=queue")
      #expect(refused.status == 69, "\(refused)")
      #expect(!refused.error.contains("trying again"), "\(refused)")
      let outcome = try await pair.tool.run(
        ["create", "--json", "-l", "app=queue"]
      ) { processID in
        try await eventually("the failover is seen") {
          try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
            .contains("trying again")
        }
        try await pair.failOver()
      }
      try #require(outcome.status == 0, "\(outcome)")
      #expect(outcome.error.contains(fact), "\(outcome)")
      #expect(try outcome.json(Document.self).source.pod == "queue-1")
    }
  }

  @Test(arguments: [true, false])
  func `a pod that cannot be seen is told of, and keeps a restore from choosing`(
    isRunning: Bool
  ) async throws {
    try await FakePair.with { pair in
      let reason: String
      if isRunning {
        try await pair.second.stop()
        reason = "queue-1: no connection to 127.0.0.1:\(pair.second.port): connection refused"
      } else {
        let pods = [
          FakePod.description("queue-0"), FakePod.description("queue-1", phase: "Pending"),
        ]
        try pair.first.put("{\"items\": [\(pods.joined(separator: ","))]}", "pods")
        reason = "pod queue-1 is not running: Pending"
      }
      let fact = "cannot tell whether another pod than queue-0 is the primary"
      let created = try await pair.tool("create", "--json", "-l", "app=queue")
      try #require(created.status == 0, "\(created)")
      #expect(try created.json(Document.self).source.pod == "queue-0")
      #expect(created.error == "raibid-backup: warning: \(fact): \(reason)\n")

      let refused = try await pair.tool(
        "restore", "latest", "--dry-run", "-l", "app=queue", "--from-other-source")
      #expect(refused.status == 69, "\(refused)")
      #expect(
        refused.error.contains("raibid-backup: \(fact)\ncause: \(reason)\nhint: "), "\(refused)")
      #expect(refused.error.hasSuffix(" --pod queue-0\n"), "\(refused)")
      #expect(!refused.error.contains("app=queue"), "\(refused)")
      let named = try await pair.tool("restore", "latest", "--dry-run", "--pod", "queue-0")
      #expect(!named.error.contains(fact), "\(named)")
    }
  }

  @Test(arguments: [true, false])
  func `a pod in which a Sentinel runs is left out, unless a server runs there too`(
    isAlone: Bool
  ) async throws {
    try await FakePair.with { pair in
      let pods = ["queue-0", "queue-1", "watcher"].map { FakePod.description($0) }
      try pair.first.put("{\"items\": [\(pods.joined(separator: ","))]}", "pods")
      let closed = TestPort.next()
      try pair.control(
        """
        case "$*" in
          *port-forward*pod/watcher*) port=\(closed) ;;
          *exec*pod/watcher*) printf 'sentinel\n\(isAlone ? "" : "server\n")end\n'; exit 0 ;;
        esac
        """)
      let created = try await pair.tool("create", "-l", "app=queue")
      #expect(created.status == 0, "\(created)")
      let fact = "cannot tell whether another pod than queue-0 is the primary"
      let restored = try await pair.tool("restore", "latest", "--dry-run", "-l", "app=queue")
      if isAlone {
        #expect(created.error == "", "\(created)")
        #expect(!restored.error.contains(fact), "\(restored)")
      } else {
        let reason = "watcher: no connection to 127.0.0.1:\(closed): connection refused"
        #expect(created.error == "raibid-backup: warning: \(fact): \(reason)\n", "\(created)")
        let told = "raibid-backup: \(fact)\ncause: \(reason)\n"
        #expect(restored.error.contains(told), "\(restored)")
      }
    }
  }

  @Test(arguments: [
    ("raibid-redis/queue-0", String?.none, 78), ("raibid-redis/queue-1", nil, 0),
    ("raibid-redis/selector/app=queue", nil, 78),
    ("raibid-redis/statefulset/x", "raibid-redis/queue-0", 78),
    ("raibid-redis/selector/app=queue", "raibid-redis/queue-1", 0),
  ])
  func `an unfinished restore is known of however the pod is named`(
    target: String, pod: String?, status: Int32
  ) async throws {
    try await FakePair.with { pair in
      func line(_ event: String, target: String, pod: String?) -> String {
        """
        {"archive":"x","event":"\(event)","target":"\(target)","time":"2026-01-01T00:00:00Z",\
        \(pod.map { "\"pod\":\"\($0)\"," } ?? "")"user":"0"}

        """
      }
      let log = URL(filePath: pair.first.archives + "/restores.jsonl")
      let begun = line("started", target: target, pod: pod)
      try Data(begun.utf8).write(to: log)
      let create = ["create", "--via", "replication", "-l", "app=queue"]
      let outcome = try await pair.tool.run(create)
      #expect(outcome.status == status, "\(outcome)")
      // What has ended under another name has ended.
      let ended = line("restored", target: "raibid-redis/queue-0", pod: "raibid-redis/queue-0")
      if target.hasSuffix("queue-0") || pod?.hasSuffix("queue-0") == true {
        try Data((begun + ended).utf8).write(to: log)
        #expect(try await pair.tool.run(create).status == 0)
      }
    }
  }

  @Test func `another replica that comes meanwhile changes nothing`() async throws {
    try await withRealServer(.primary, configuration: ["rdb-key-save-delay 1000"]) { server in
      try await server.cli("DEBUG", "POPULATE", "1000")
      try await withRealServer(.primary) { replica in
        try await withTemporaryDirectory { archives in
          // Its first replica gives a server another history of writes by name, of the same data.
          let before = try await server.cli("INFO", "replication")
          let outcome = try await BackupTool(for: server, archives: archives).run(["create"]) { _ in
            try await eventually("the server saves") {
              try await server.cli("INFO", "persistence").contains("rdb_bgsave_in_progress:1")
            }
            try await replica.cli("REPLICAOF", "127.0.0.1", "\(server.port)")
            try await eventually("the replica is there") {
              try await server.cli("INFO", "replication").contains("connected_slaves:1")
            }
          }
          #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome)")
          let after = try await server.cli("INFO", "replication")
          #expect(Self.history(before) != Self.history(after))
        }
      }
    }
  }

  private static func history(_ info: String) -> Substring? {
    info.split(whereSeparator: \.isNewline).first { $0.hasPrefix("master_replid:") }
  }
}

/// Two real servers of this host as if they were two pods, a primary and its replica.
struct FakePair: Sendable {
  let first: FakePod
  let second: RealServer

  static func with(_ body: (FakePair) async throws -> Void) async throws {
    try await FakePod.with { first in
      try await withRealServer(
        .primary, configuration: ["save \"\"", "replicaof 127.0.0.1 \(first.server.port)"]
      ) { second in
        let pair = FakePair(first: first, second: second)
        try await eventually("the replica has the data") {
          try await second.cli("DBSIZE") == "2000"
        }
        let pods = ["queue-0", "queue-1"].map { FakePod.description($0) }
        for (name, text) in zip(["queue-0", "queue-1"], pods) { try first.put(text, "pod-\(name)") }
        try first.put("{\"items\": [\(pods.joined(separator: ","))]}", "pods")
        try pair.control("")
        try await body(pair)
      }
    }
  }

  /// The program, with that kubectl.
  var tool: BackupTool { first.tool }

  /// Tells the kubectl how to fail: lines for a shell.
  func control(_ lines: String) throws {
    try first.fail("case \"$*\" in *pod/queue-1*) port=\(second.port) ;; esac\n\(lines)")
  }

  /// Has the replica become the primary and the primary its replica, and writes one key.
  func failOver() async throws {
    for (server, words) in commands { try await server.cli(words) }
  }

  private var commands: [(server: RealServer, words: [String])] {
    [
      (first.server, ["REPLICAOF", "127.0.0.1", "\(second.port)"]),
      (second, ["REPLICAOF", "NO", "ONE"]), (second, ["SET", "new", "1"]),
    ]
  }

  /// The same at a moment of the next run.
  ///
  /// - Parameter promotes: Whether the replica is made the primary, or nobody.
  func failOver(at moment: FailoverTests.Moment, promotes: Bool = true) throws {
    let lines = commands.prefix(promotes ? 3 : 1).map { server, words in
      "'\(server.version.clientPath)' -p \(server.port) \(words.joined(separator: " ")) >&2"
    }
    let when =
      switch moment {
      // The third: one to each for the search, then the backup's own.
      case .found: #"*port-forward*) if ! once a && ! once b && once switch; then ACT fi"#
      case .copied: #"*" cp "*) if once switch; then ACT fi"#
      case .cut: #"*" cp "*) if once switch; then ACT cut=1000; fi"#
      }
    let switching = "\n\(lines.joined(separator: "\n"))\n"
    try control("case \"$*\" in \(when.replacing("ACT", with: switching)) ;; esac")
  }
}
