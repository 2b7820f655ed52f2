import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// What a restore refuses, and that nothing of the server is touched then.
@Suite struct RestoreRefusalTests {
  /// All that a refused restore must leave as it is.
  private struct Picture: Equatable {
    let files: [String: Data]
    let configuration: String
    let data: String

    init(of server: RealServer) async throws {
      let directory = server.directory
      var files: [String: Data] = [:]
      for path in try FileManager.default.subpathsOfDirectory(atPath: directory)
      where path != "redis.log" && path != "redis.out" {
        files[path] = FileManager.default.contents(atPath: directory + "/" + path)
      }
      self.files = files
      configuration = try await server.cli("CONFIG", "GET", "*")
      data = try await server.cli([], input: "DBSIZE\nSELECT 0\nDEBUG DIGEST\n")
    }
  }

  private func refuse(
    _ server: RealServer, archives: String, options: [String] = [], status: Int32, _ fact: String,
    hint: String, acceptsWrites: Bool = true
  ) async throws {
    let before = try await Picture(of: server)
    let tool = BackupTool(for: server, archives: archives)
    let archive = try archive(in: archives)
    for asks in [["--dry-run"], ["--yes"]] {
      let outcome = try await tool.run(
        ["restore", archive, "--restart-command", "exit 9"] + asks + options)
      #expect(outcome.status == status, "\(outcome)")
      #expect(outcome.error.contains(fact), "\(outcome)")
      #expect(outcome.error.contains("nothing was changed"), "\(outcome)")
      #expect(outcome.error.contains("\nhint: ") && outcome.error.contains(hint), "\(outcome)")
      #expect(try await Picture(of: server) == before)
    }
    #expect(!FileManager.default.fileExists(atPath: archives + "/restores.jsonl"))
    if acceptsWrites {
      #expect(try await server.cli([], input: "SET probe 1\nDEL probe\n") == "OK\n1")
    }
  }

  private func archive(in archives: String) throws -> String {
    let names = try FileManager.default.contentsOfDirectory(atPath: archives)
    return archives + "/" + (try #require(names.first { $0.hasSuffix(".rdb.gz") }))
  }

  /// Runs a body with a server of that configuration and a directory with a backup of it.
  private func withBackup(
    _ version: ServerVersion? = nil, configuration: [String] = [],
    data: String = "SET a 1\n", _ body: (RealServer, String) async throws -> Void
  ) async throws {
    let version = try version ?? .primary
    try await withRealServer(version, configuration: configuration) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli([], input: data)
        let created = try await BackupTool(for: server, archives: archives)("create")
        try #require(created.status == 0, "\(created)")
        try await body(server, archives)
      }
    }
  }

  @Test func `a replica could take over with the old data`() async throws {
    try await withBackup(configuration: ["appendonly yes"]) { server, archives in
      try await withRealServer(
        .primary, configuration: ["replicaof 127.0.0.1 \(server.port)"]
      ) { replica in
        try await eventually("the replica is in step") {
          let link = try await replica.cli("INFO", "replication")
          let saving = try await server.cli("INFO", "persistence")
          return link.contains("master_link_status:up")
            && saving.contains("rdb_bgsave_in_progress:0")
        }
        try await refuse(
          server, archives: archives, status: 76, "a replica is connected",
          hint: "INFO replication")
        // Nor is the replica itself what could be restored.
        try await refuse(
          replica, archives: archives, options: ["--from-other-source"], status: 76,
          "it is not a master but a slave", hint: "INFO replication", acceptsWrites: false)
      }
    }
  }

  @Test func `a node of a cluster is refused`() async throws {
    try await withRealServer(.primary, configuration: ["cluster-enabled yes"]) { server in
      try await withBackup { _, archives in
        try await refuse(
          server, archives: archives, options: ["--from-other-source"], status: 76,
          "it runs in cluster mode", hint: "INFO server", acceptsWrites: false)
      }
    }
  }

  @Test(arguments: [
    (["appendonly yes"], ["appendonly", "no"], "appendonly is \"no\" now"),
    (["appendonly no"], ["appendonly", "yes"], "appendonly is \"yes\" now"),
  ])
  func `a configuration that the next start will not have is refused`(
    configuration: [String], change: [String], fact: String
  ) async throws {
    try await withBackup(configuration: configuration) { server, archives in
      try await server.cli(["CONFIG", "SET"] + change)
      try await eventually("no rewrite is under way") {
        try await server.cli("INFO", "persistence").contains("aof_rewrite_in_progress:0")
      }
      try await refuse(
        server, archives: archives, status: 76, fact, hint: "CONFIG REWRITE")
    }
  }

  @Test func `a module that the server lacks is refused`() async throws {
    guard let newer = ServerVersion.available.first(where: { !$0.isValkey && $0.major == 8 }),
      let older = ServerVersion.available.first(where: {
        !$0.isValkey && $0.major == 7 && $0.minor == 4
      })
    else { return }
    try await withBackup(
      newer.isAtLeast(8, 5) ? nil : newer, data: "VADD v VALUES 3 1 2 3 element\nSET a 1\n"
    ) { source, archives in
      guard try await source.cli("EXISTS", "v") == "1" else { return }
      try await withRealServer(older, configuration: ["appendonly yes"]) { server in
        try await refuse(
          server, archives: archives, options: ["--from-other-source"], status: 76,
          "it lacks the modules for vectorset", hint: "MODULE LIST")
      }
    }
  }

  @Test func `a server with too few databases is refused`() async throws {
    try await withBackup(data: "SELECT 9\nSET a 1\n") { _, archives in
      try await withRealServer(.primary, configuration: ["databases 4"]) { server in
        try await refuse(
          server, archives: archives, options: ["--from-other-source"], status: 76,
          "the backup needs 10 databases, it has 4", hint: "CONFIG GET databases")
      }
    }
  }

  @Test func `an archive of another Redis is refused`() async throws {
    try await withBackup { source, archives in
      try await withRealServer(.primary) { server in
        try await refuse(
          server, archives: archives, status: 78,
          "the archive is of 127.0.0.1:\(source.port), not of 127.0.0.1:\(server.port)",
          hint: "--from-other-source")
      }
    }
  }

  @discardableResult
  private func shell(_ command: String) async throws -> String {
    let result = try await run(
      .name("sh"), arguments: ["-c", command], output: .string(limit: 1 << 20))
    return result.standardOutput
  }

  @Test(arguments: [Persistence.appendOnly, .savePoints])
  func `a directory that the configuration names by a link is no other one`(
    persistence: Persistence
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, archives, backup in
      let link = archives + "/link"
      try FileManager.default.createSymbolicLink(
        atPath: link, withDestinationPath: server.directory)
      let lines = try String(contentsOfFile: server.configurationFile, encoding: .utf8)
      // The last line counts.
      let linked = lines + "\ndir \"\(link)\"\n"
      try Data(linked.utf8).write(to: URL(filePath: server.configurationFile))
      try await server.restart()
      for isStopped in [false, true] {
        if isStopped { try await server.stop() }
        let restored = try await tool(
          "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
          server.startCommand)
        #expect(restored.status == 0, "\(restored)")
        #expect(try await Queue.picture(server) == backup)
        try await Queue.wreck(server)
      }
    }
  }

  @Test func `a Sentinel holds no data to be replaced`() async throws {
    try await withBackup { source, archives in
      try await withTemporaryDirectory { directory in
        let port = TestPort.next()
        let file = directory + "/sentinel.conf"
        let lines = [
          "port \(port)", "bind 127.0.0.1", "dir \(directory)", "daemonize yes",
          "pidfile \(directory)/pid",
        ]
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: file))
        let words = ["-p", "\(port)"]
        let tool = BackupTool(
          options: ["--target", "local", "--port", "\(port)", "--directory", archives],
          home: directory)
        try await shell("'\(source.version.serverPath)' '\(file)' --sentinel")
        let outcome: Result<BackupTool.Outcome, any Error>
        do {
          try await eventually("the Sentinel answers") {
            try await shell("'\(source.version.clientPath)' \(words.joined(separator: " ")) PING")
              .contains("PONG")
          }
          outcome = .success(
            try await tool(
              "restore", archive(in: archives), "--yes", "--restart-command", "exit 9",
              "--from-other-source"))
        } catch {
          outcome = .failure(error)
        }
        try await shell("kill -9 $(cat '\(directory)/pid')")
        let refused = try outcome.get()
        #expect(refused.status == 76, "\(refused)")
        #expect(refused.error.contains("it runs in sentinel mode"), "\(refused)")
        #expect(
          try FileManager.default.contentsOfDirectory(atPath: directory).filter {
            $0.contains("restore")
          } == [])
      }
    }
  }
}
