import FoundationEssentials
import TestSupport
import Testing

/// What a restore finds in its way is not its own to remove.
@Suite struct RestoreClaimTests {
  @Test(arguments: [
    (Persistence.savePoints, "dump.rdb.restore"), (.savePoints, "dump.rdb.rollback"),
    (.appendOnly, "appendonlydir/appendonly.aof.manifest.restore"),
    (.appendOnly, "appendonlydir/appendonly.aof.1001.base.rdb"),
  ])
  func `a file with a name that the restore needs is left alone`(
    persistence: Persistence, name: String
  ) async throws {
    try await withRealServer(.primary, configuration: persistence.configuration) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await Queue.fill(server)
        try #require(try await tool("create").status == 0)
        let file = server.directory + "/" + name
        try Data("mine".utf8).write(to: URL(filePath: file))

        let refused = try await tool(
          "restore", "latest", "--yes", "--restart-command", server.startCommand)

        #expect(refused.status == 73, "\(refused)")
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "mine")
        #expect(
          !FileManager.default.fileExists(atPath: server.directory + "/raibid-restore.json"))
        #expect(try await server.cli("SET", "after", "1") == "OK")
      }
    }
  }
}
