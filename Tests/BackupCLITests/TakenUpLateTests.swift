import FoundationEssentials
import TestSupport
import Testing

/// A restore that was killed and is taken up when the server has worked for a while.
@Suite struct TakenUpLateTests {
  @Test(arguments: [Persistence.appendOnly, .savePoints], [["BGSAVE"], ["SAVE"]])
  func `what was written since the restart is not undone`(
    persistence: Persistence, save: [String]
  ) async throws {
    try await withKilledRestore(persistence) { tool, server, _ in
      try #require(try await server.cli("SET", "since", "1") == "OK")
      _ = try await server.cli(save)
      try await Task.sleep(for: .milliseconds(300))
      let result = try await tool(
        "restore", "latest", "--yes", "--restart-command", server.startCommand)

      #expect(result.status == 0, "\(result)")
      #expect(try await server.cli("GET", "since") == "1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test func `a backup of a half-restored server is refused unless it is forced`() async throws {
    try await withKilledRestore(.appendOnly) { tool, server, archives in
      let before = try FileManager.default.contentsOfDirectory(atPath: archives).sorted()

      let refused = try await tool("create")
      #expect(refused.status == 78, "\(refused)")
      #expect(refused.error.contains("restore --resume"), "\(refused)")
      let after = try FileManager.default.contentsOfDirectory(atPath: archives).sorted()
      #expect(after == before)
      try await server.stop()
      let stopped = try await tool("create")
      #expect(stopped.status == 69, "\(stopped)")
      #expect(stopped.error.contains("restore --resume"), "\(stopped)")
      try await server.start()
      let forced = try await tool("create", "--force")
      #expect(forced.status == 0, "\(forced)")
    }
  }

  @Test func `a dry run starts nothing, and nothing stands in its way`() async throws {
    try await withKilledRestore(.appendOnly) { tool, server, archives in
      try await server.stop()
      let before = try FileManager.default.subpathsOfDirectory(atPath: server.directory).sorted()

      let stopped = try await tool(
        "restore", "--resume", "--dry-run", "--restart-command", server.startCommand)

      #expect(stopped.status == 69, "\(stopped)")
      #expect(stopped.error.contains("restore --resume"), "\(stopped)")
      #expect(server.processID == nil)
      let after = try FileManager.default.subpathsOfDirectory(atPath: server.directory).sorted()
      #expect(after == before)
      try await server.start()
      let ended = try await tool(
        "restore", "--resume", "--yes", "--restart-command", server.startCommand)
      #expect(ended.status == 0, "\(ended)")
      let lock = archives + "/.raibid-backup.lock"
      try FileManager.default.removeItem(atPath: lock)
      let dryRun = try await tool("restore", "latest", "--dry-run")
      #expect(dryRun.status == 0, "\(dryRun)")
      #expect(!FileManager.default.fileExists(atPath: lock))
    }
  }

  @Test func `old files that shall stay are kept by a run that finishes`() async throws {
    try await withKilledRestore(.savePoints, options: ["--keep-old"]) { tool, server, _ in
      let resumed = try await tool(
        "restore", "--resume", "--yes", "--restart-command", server.startCommand)

      #expect(resumed.status == 0, "\(resumed)")
      let names = try FileManager.default.contentsOfDirectory(atPath: server.directory)
      #expect(names.contains { $0.hasPrefix("dump.rdb.before-") }, "\(names)")
    }
  }

  @Test func `old parts that shall stay lie beside the new ones no more`() async throws {
    try await withRealServer(.primary, configuration: Persistence.appendOnly.configuration) {
      server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await Queue.fill(server)
        try #require(try await tool("create").status == 0)
        let restored = try await tool(
          "restore", "latest", "--yes", "--keep-old", "--restart-command", server.startCommand)
        #expect(restored.status == 0, "\(restored)")
        let paths = try FileManager.default.subpathsOfDirectory(atPath: server.directory)
        let kept = paths.filter { $0.contains(".before-") && $0.contains(".1.base.rdb") }
        #expect(kept.count == 1, "\(paths)")
        #expect(!paths.contains("appendonlydir/appendonly.aof.1.base.rdb"), "\(paths)")
        #expect(paths.contains("appendonlydir/appendonly.aof.1001.base.rdb"), "\(paths)")
      }
    }
  }

  @Test func `what cannot be told from a loss is left to the user`() async throws {
    try await withKilledRestore(.appendOnly) { tool, server, _ in
      try #require(try await server.cli("SET", "since", "1") == "OK")
      try #require(try await server.cli("DEL", "raibid:jobs") == "1")
      let asked = try await tool(
        "restore", "latest", "--yes", "--restart-command", server.startCommand)
      #expect(asked.status == 78, "\(asked)")
      #expect(try await server.cli("SET", "since", "2") == "OK")
      let resumed = try await tool(
        "restore", "--resume", "--yes", "--restart-command", server.startCommand)
      #expect(resumed.status == 0, "\(resumed)")
      #expect(try await server.cli("GET", "since") == "2")
    }
  }

  /// Runs a body with a server that a restore had stopped when it was killed, and that was started since.
  private func withKilledRestore(
    _ persistence: Persistence, options: [String] = [],
    _ body: (_ tool: BackupTool, _ server: RealServer, _ archives: String) async throws -> Void
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, archives, _ in
      try await killedAtRestart(tool, server, archives, options: options)
      try await body(tool, server, archives)
    }
  }
}

/// Kills the tool when it has stopped the server, and starts the server as an operator would.
func killedAtRestart(
  _ tool: BackupTool, _ server: RealServer, _ archives: String, options: [String] = []
) async throws {
  let file = archives + "/pid"
  let killed = try await tool.run(
    [
      "restore", "latest", "--yes", "--restart-command", "kill -9 $(cat '\(file)'); sleep 1",
    ] + options
  ) { processID in
    try Data("\(processID)".utf8).write(to: URL(filePath: file))
  }
  try #require(killed.status == 128 + 9, "\(killed)")
  try await server.start()
}
