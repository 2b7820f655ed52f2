import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite struct ReplicationTests {
  private static let atOnce = ["repl-diskless-sync-delay 0", "save \"\""]
  private static let delayed = [
    "repl-diskless-sync yes", "repl-diskless-sync-delay 3", "save \"\"",
  ]
  private static let viaReplication = ["create", "--via", "replication", "--json"]

  private struct Document: Decodable {
    struct Save: Decodable {
      let method: String
      let via: String
    }

    struct Content: Decodable {
      let keys: Int
    }

    let save: Save
    let content: Content
  }

  @Test(arguments: ServerVersion.available, [true, false])
  func `a dump over the replication stream brings everything back`(
    version: ServerVersion, isDiskless: Bool
  ) async throws {
    let diskless = "repl-diskless-sync \(isDiskless ? "yes" : "no")"
    try await withRealServer(
      version, configuration: Self.atOnce + [diskless], password: isDiskless ? "s3cret pass" : nil
    ) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await Queue.fill(server)
        if version.isValkey, version.isAtLeast(9, 0) {
          // What only its own version of the format can hold.
          try await server.cli("HEXPIRE", "hash", "3600", "FIELDS", "1", "f")
        }
        let before = try await Queue.picture(server)
        let created = try await tool.run(Self.viaReplication)
        try #require(created.status == 0, "\(created)")
        #expect(created.error == "")
        let document = try created.json(Document.self)
        #expect(document.save.method == "sync")
        #expect(document.save.via == "replication")

        try await Queue.wreck(server)
        let restored = try await tool(
          "restore", "latest", "--yes", "--restart-command", server.startCommand)
        try #require(restored.status == 0, "\(restored)")
        #expect(try await Queue.picture(server) == before)
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a dump that was begun for another replica is not taken`(
    version: ServerVersion
  ) async throws {
    let configuration = Self.atOnce + ["repl-diskless-sync no"]
    try await withRealServer(version, configuration: configuration) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "300")
        // Microseconds for each key, in the child that is forked next.
        try await server.cli("CONFIG", "SET", "rdb-key-save-delay", "5000")
        let other = BackupTool(for: server, archives: archives + "/other")
        let tool = BackupTool(for: server, archives: archives + "/own")
        try FileManager.default.createDirectory(
          atPath: archives + "/other", withIntermediateDirectories: false)
        async let first = other.run(Self.viaReplication)
        try await eventually("the dump for the other is begun") {
          try await server.cli("INFO", "persistence").contains("rdb_bgsave_in_progress:1")
        }
        try await server.cli("CONFIG", "SET", "rdb-key-save-delay", "0")
        try await server.cli("SET", "after", "the other dump began")
        let second = try await tool.run(Self.viaReplication)
        #expect(try second.json(Document.self).content.keys == 301)
        #expect(try await first.json(Document.self).content.keys == 300)
      }
    }
  }

  @Test func `a replica is as good a source as a master, while it has one`() async throws {
    try await withRealServer(.primary, configuration: Self.atOnce) { master in
      try await master.cli("SET", "a", "1")
      try await withRealServer(
        .primary, configuration: Self.atOnce + ["replicaof 127.0.0.1 \(master.port)"]
      ) { replica in
        try await withTemporaryDirectory { archives in
          try await eventually("the replica has the data") {
            try await replica.cli("DBSIZE") == "1"
          }
          let tool = BackupTool(for: replica, archives: archives)
          let outcome = try await tool.run(Self.viaReplication)
          #expect(outcome.status == 0, "\(outcome)")
          try await replica.cli("REPLICAOF", "127.0.0.1", "1")
          let place = "127.0.0.1:\(replica.port)"
          try await Complaint(
            status: 69, kind: "unavailable",
            message: "cannot get a dump of \(place): it is a replica without its master",
            cause: "NOMASTERLINK Can't SYNC while not connected with my master",
            hint: "redis-cli -h 127.0.0.1 -p \(replica.port) INFO replication",
            warning: "\(place) is a replica without a link to its primary: its data may be old"
          ).expect(of: tool, "create", "--via", "replication")
        }
      }
    }
  }

  @Test func `files that cannot be seen are not needed`() async throws {
    try await withRealServer(.primary, configuration: Self.atOnce) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        try FileManager.default.setAttributes(
          [.posixPermissions: 0o777], ofItemAtPath: archives)
        // The directory of the server is its owner's alone.
        let tool = BackupTool(for: server, archives: archives).asNobody
        let outcome = try await tool("create", "--json", "--verbose")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
          outcome.error.hasPrefix(
            "the dump will come over the replication stream, since its file cannot be read\n"),
          "\(outcome)")
        #expect(try outcome.json(Document.self).save.via == "replication")
        try await Complaint(
          status: 76, kind: "incompatible",
          message: "cannot save with SAVE: what it writes cannot be read from here, "
            + "and a replica gets a BGSAVE", hint: "AGAIN --save bgsave"
        ).expect(of: tool, "create", "--quiet", "--save=save")
      }
    }
  }

  @Test(arguments: [true, false])
  func `a server that waits for more replicas first is waited for`(mayAsk: Bool) async throws {
    try await withRealServer(.primary, configuration: ["save \"\""]) { server in
      try await withTemporaryDirectory { archives in
        // The usual delay is 5 s, and the limit less.
        try await server.cli("SET", "a", "1")
        var tool = BackupTool(for: server, archives: archives)
        let rules = ["on", ">pw", "+info", "+replconf", "+sync"] + (mayAsk ? ["+config|get"] : [])
        try await server.cli(["ACL", "SETUSER", "backup", "reset"] + rules)
        tool.options += ["--user", "backup", "--stall-timeout", "2s"]
        tool.environment["REDISCLI_AUTH"] = "pw"
        let outcome = try await tool.run(Self.viaReplication)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
          outcome.error.contains("whether a restore is unfinished cannot be seen: ") != mayAsk,
          "\(outcome)")
      }
    }
  }

  @Test func `a dump that a replica takes too is said to be shared`() async throws {
    // Both come within the time that the server waits for more, and get a dump that lasts.
    let slow = ["repl-diskless-sync yes", "repl-diskless-sync-delay 6", "rdb-key-save-delay 10000"]
    try await withRealServer(.primary, configuration: slow + ["save \"\""]) { server in
      try await server.cli("EVAL", "for i = 1, 200 do redis.call('SET', i, i) end", "0")
      try await withRealServer(.primary) { replica in
        try await withTemporaryDirectory { archives in
          let tool = BackupTool(for: server, archives: archives)
          let outcome = try await tool.run(Self.viaReplication) { _ in
            try await eventually("the dump is asked for") {
              try await server.cli("INFO", "replication").contains("state=wait_bgsave")
            }
            try await replica.cli("REPLICAOF", "127.0.0.1", "\(server.port)")
          }
          #expect(outcome.status == 0, "\(outcome)")
          #expect(
            outcome.error == "raibid-backup: warning: a replica takes the same dump of the server, "
              + "no faster than it is read here\n", "\(outcome)")
        }
      }
    }
  }

  @Test func `a replica that waits for its dump gets it first`() async throws {
    try await withRealServer(.primary, configuration: Self.delayed) { server in
      try await server.cli("SET", "a", "1")
      try await withRealServer(.primary) { replica in
        try await withTemporaryDirectory { archives in
          try await replica.cli("REPLICAOF", "127.0.0.1", "\(server.port)")
          try await eventually("the replica waits") {
            try await server.cli("INFO", "replication").contains("state=wait_bgsave")
          }
          try await server.cli("CONFIG", "RESETSTAT")
          let outcome = try await BackupTool(for: server, archives: archives)
            .run(Self.viaReplication)
          #expect(outcome.status == 0 && outcome.error.isEmpty, "\(outcome)")
          // Two forks: one for each.
          #expect(try await server.cli("INFO", "stats").contains("total_forks:2"))
        }
      }
    }
  }

  @Test(arguments: ServerVersion.available.filter { $0.isAtLeast(7, 0) })
  func `a Sentinel does not take a backup for a replica`(version: ServerVersion) async throws {
    try await withRealServer(version, configuration: Self.delayed) { server in
      try await withTemporaryDirectory { archives in
        try await Sentinel.watching(server) { sentinel in
          let outcome = try await BackupTool(for: server, archives: archives).run(
            Self.viaReplication
          ) { _ in
            try await eventually("the dump is asked for") {
              try await server.cli("INFO", "replication").contains("port=65536,state=wait_bgsave")
            }
            try await sentinel.awaitLook()
          }
          #expect(outcome.status == 0, "\(outcome)")
          #expect(try await sentinel.cli("SENTINEL", "REPLICAS", "queue") == "")
        }
      }
    }
  }

  @Test func `where the file can be read, it is`() async throws {
    try await withRealServer(.primary, configuration: Self.atOnce) { server in
      try await withTemporaryDirectory { archives in
        let outcome = try await BackupTool(for: server, archives: archives)(
          "create", "--json", "--verbose")
        #expect(
          outcome.error.hasPrefix("the dump will be read from its file\n"), "\(outcome)")
        #expect(try outcome.json(Document.self).save.via == "file")
        let replicas = try await server.cli("INFO", "replication")
        #expect(replicas.contains("repl_backlog_active:0"))
      }
    }
  }

  @Test func `a user with three commands is enough`() async throws {
    try await withRealServer(.primary, configuration: Self.atOnce) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--user", "backup"]
        tool.environment["REDISCLI_AUTH"] = "pw"
        let rules = ["ACL", "SETUSER", "backup", "reset", "on", ">pw", "+info", "+replconf"]
        try await server.cli(rules)
        let refused = try await tool.run(Self.viaReplication)
        #expect(refused.status == 77, "\(refused)")
        #expect(refused.error.contains("ACL SETUSER backup +sync"), "\(refused)")
        try await server.cli(rules + ["+sync"])
        let outcome = try await tool.run(Self.viaReplication)
        #expect(outcome.status == 0, "\(outcome)")
      }
    }
  }

  @Test func `ways that exclude each other are usage errors`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        for arguments in [
          ["--via", "replication", "--save", "save"], ["--via", "cp"], ["--via", "exec"],
          ["--via", "x"], ["--save", "sync"],
        ] {
          let outcome = try await tool.run(["create"] + arguments)
          #expect(outcome.status == 64, "\(outcome)")
        }
        #expect(try names(in: archives) == [])
      }
    }
  }

  @Test func `what a restore may have left is not backed up unseen`() async throws {
    try await withRealServer(.primary, configuration: Self.atOnce) { server in
      try await withTemporaryDirectory { archives in
        let line = """
          {"archive":"x","event":"started","target":"127.0.0.1:\(server.port)",\
          "time":"2026-01-01T00:00:00Z","user":"0"}

          """
        try Data(line.utf8).write(to: URL(filePath: archives + "/restores.jsonl"))
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool.run(Self.viaReplication).status == 78)
        #expect(try await tool.run(Self.viaReplication + ["--force"]).status == 0)
      }
    }
  }
}
