import FoundationEssentials
import TestSupport
import Testing

@Suite struct SavingTests {
  @Test(arguments: ServerVersion.available)
  func `a server that cannot write its dump is said to be so, and nothing is left`(
    version: ServerVersion
  ) async throws {
    try await withRealServer(version, configuration: ["save \"\""]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        // A directory cannot be replaced by the server's dump.
        try FileManager.default.createDirectory(
          atPath: server.directory + "/dump.rdb", withIntermediateDirectories: false)
        let tool = BackupTool(for: server, archives: archives)
        let hint =
          "redis-cli -h 127.0.0.1 -p \(server.port) CONFIG GET dir   # is it writable, is there space?"
        try await Complaint(
          status: 69, kind: "unavailable",
          message: "cannot save on the server: it could not write its dump",
          cause: "rdb_last_bgsave_status:err; the server's log has the reason", hint: hint
        ).expect(of: tool, "create")
        try await Complaint(
          status: 69, kind: "unavailable", message: "cannot save on the server: it refuses",
          cause: "it could not write its dump, and its log says why", hint: hint
        ).expect(of: tool, "create", "--save", "save", "--quiet")
        #expect(try names(in: archives) == [])
        #expect(try await server.cli("DBSIZE") == "1")
      }
    }
  }

  @Test(
    arguments: ServerVersion.available.filter { $0.isAtLeast(7, 0) }, ["BGSAVE", "BGREWRITEAOF"])
  func `somebody else's save or rewrite is waited for`(
    version: ServerVersion, other: String
  ) async throws {
    try await withRealServer(version, configuration: ["appendonly yes", "save \"\""]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "300")
        let field = other == "BGSAVE" ? "rdb_bgsave_in_progress" : "aof_rewrite_in_progress"
        // Microseconds for each key. One client for all, so that it cannot end before it is seen.
        let begun = try await server.cli(
          [],
          input: """
            CONFIG SET rdb-key-save-delay 5000
            \(other)
            CONFIG SET rdb-key-save-delay 0
            INFO persistence

            """)
        #expect(begun.contains("\(field):1"))
        try await server.cli("SET", "after", "the save began")
        let outcome = try await BackupTool(for: server, archives: archives)("create", "--json")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.error == "")
        let manifest = try outcome.json(Keys.self)
        #expect(manifest.content.keys == 301)
      }
    }
  }

  private struct Keys: Decodable {
    struct Content: Decodable {
      let keys: Int
    }

    let content: Content
  }

  @Test func `a save that is slower than any pause still ends well`() async throws {
    try await withRealServer(.primary, configuration: ["rdb-key-save-delay 10000"]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "300")
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        let blocking = try await tool("create", "--save", "save", "--stall-timeout", "9s")
        #expect(blocking.status == 0, "\(blocking)")
        #expect(
          blocking.error
            == "raibid-backup: warning: SAVE blocks all clients of the server until it is done\n")
      }
    }
  }

  @Test func `a replica that has lost its primary is backed up with a warning`() async throws {
    try await withRealServer(.primary, configuration: ["save \"\""]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        // Nothing listens there.
        try await server.cli("REPLICAOF", "127.0.0.1", "1")
        let outcome = try await BackupTool(for: server, archives: archives)("create", "--json")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
          outcome.error
            == "raibid-backup: warning: 127.0.0.1:\(server.port) is a replica without a link "
            + "to its primary: its data may be old\n", "\(outcome)")
      }
    }
  }
}
