import FoundationEssentials
import TestSupport
import Testing

/// What a plan says of the jobs of a queue.
@Suite struct RestorePlanTests {
  private struct Document: Decodable {
    struct Risk: Decodable {
      let risk: String
      let message: String
    }

    struct Figures: Decodable {
      struct Stream: Decodable {
        let key: String
        let entries_lost: Int?
        let delivered_again: Int?
      }

      let keys_now: Int
      let keys_in_backup: Int
      let clients: Int?
      let streams: [Stream]
    }

    struct Pending: Decodable {
      struct Entry: Decodable {
        let id: String
        let consumer: String
        let deliveries: Int
        let state: String
      }

      let total: Int
      let acknowledged: Int
      let entries: [Entry]
    }

    let result: String
    let risks: [Risk]
    let figures: Figures?
    let pending: Pending?
  }

  @Test func `a quiet restore that goes well says nothing`() async throws {
    try await withRealServer(.primary, configuration: ["save \"\""]) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await server.cli("SET", "a", "1")
        #expect(try await tool("create").status == 0)
        for more in [["--restart-command", server.startCommand], ["--key", "a", "--replace"]] {
          let outcome = try await tool.run(["restore", "latest", "--yes", "--quiet"] + more)
          #expect(outcome.status == 0 && outcome.output == "", "\(outcome)")
        }
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `what will be lost and done twice is counted before anything is changed`(
    version: ServerVersion
  ) async throws {
    try await withRealServer(version, configuration: ["appendonly yes"]) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        try await server.cli(
          [],
          input: """
            XACK raibid:jobs raibid-workers 4-1 5-1 41-1
            XADD raibid:jobs 1000-1 job_id 1000
            XADD raibid:jobs 1001-1 job_id 1001
            XREADGROUP GROUP raibid-workers worker-1 COUNT 30 STREAMS raibid:jobs >
            SET newer 1

            """)
        let before = try await Queue.picture(server)
        let listed = try await tool(
          "restore", "latest", "--dry-run", "--json", "--pending", "report"
        ).json(Document.self)
        #expect(listed.result == "dry_run")
        let figures = try #require(listed.figures)
        #expect(figures.keys_now == figures.keys_in_backup + 1 && figures.clients == 0)
        let jobs = try #require(figures.streams.first { $0.key == "raibid:jobs" })
        #expect(figures.streams.count == 1)
        #expect(jobs.entries_lost == (version.isAtLeast(7, 0) ? 2 : nil))
        // A deleted entry among those that were read makes the server stop counting.
        #expect(jobs.delivered_again == nil)

        let pending = try #require(listed.pending)
        let redis = try await server.cli(["XPENDING", "raibid:jobs", "raibid-workers"])
        #expect(redis.hasPrefix("84\n"))
        #expect(pending.total == 57 && pending.entries.count == 57)
        #expect(
          pending.entries.filter { $0.state == "acknowledged" }.map(\.id)
            == ["4-1", "5-1", "41-1"])
        #expect(pending.acknowledged == 3)
        #expect(pending.entries.filter { $0.state == "pending" }.count == 54)
        #expect(pending.entries.allSatisfy { $0.deliveries == 1 })
        #expect(pending.entries.first { $0.id == "41-1" }?.consumer == "worker-3")

        let text = try await tool("restore", "latest", "--dry-run", "--verbose")
        #expect(text.output.contains("entries after 60-1 were delivered since"), "\(text)")
        #expect(text.output.contains("3 have been acknowledged since"), "\(text)")
        #expect(text.output.contains("If it fails when swapped: put the old files back"), "\(text)")
        #expect(!text.output.contains("SINCE THEN"), "\(text)")
        #expect(try await Queue.picture(server) == before)

        let restored = try await tool(
          "restore", "latest", "--yes", "--pending", "report", "--restart-command",
          server.startCommand)
        #expect(restored.status == 0, "\(restored)")
        let table = restored.output.split(separator: "\n")
          .drop { !$0.hasPrefix("SINCE THEN") }.map(String.init)
        #expect(table.count == 22, "\(restored)")
        #expect(
          table.dropFirst().prefix(4).map { $0.split(separator: " ")[0] }
            == ["acknowledged", "acknowledged", "acknowledged", "pending"])
        #expect(table.last == "and 37 more; --json lists up to 57")
      }
    }
  }

  @Test func `who else is connected is named`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        let plan = try await tool("restore", "latest", "--dry-run")
        #expect(!plan.output.contains("connected:"), "\(plan)")
        let worker = Task {
          try await server.cli([], input: "CLIENT SETNAME worker-1\nBLPOP q 20\n")
        }
        try await eventually("the worker waits") {
          let clients = try await server.cli("CLIENT", "LIST")
          return clients.contains("name=worker-1") && clients.contains("cmd=blpop")
        }
        let busy = try await tool("restore", "latest", "--dry-run")
        #expect(
          busy.output.contains("connected: 1 from 127.0.0.1 as \"worker-1\", last command blpop"),
          "\(busy)")
        try await server.cli("RPUSH", "q", "end")
        _ = try await worker.value
      }
    }
  }

  @Test(arguments: [
    (["latest", "--restart", "server"], "--restart goes with --target kubernetes"),
    (["--resume", "--restart", "pod"], "--restart goes with ARCHIVE"),
    (["latest", "--restart", "node"], "the value 'node' is invalid"),
    (["latest", "--pending", "drop"], "the value 'drop' is invalid"),
    (["latest", "--key", "a", "--pending", "report"], "--key and --match go without"),
  ])
  func `an option that means nothing here is refused`(
    words: [String], fact: String
  ) async throws {
    try await withTemporaryDirectory { home in
      let tool = BackupTool(options: ["--target", "local", "--directory", home], home: home)
      let outcome = try await tool.run(["restore", "--yes"] + words)
      #expect(outcome.status == 64 && outcome.error.contains(fact), "\(outcome)")
    }
  }
}
