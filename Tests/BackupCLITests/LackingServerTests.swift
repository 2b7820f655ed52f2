import TestSupport
import Testing

/// Servers that lack what a backup or a restore needs.
@Suite struct LackingServerTests {
  @Test func `without CONFIG a server is not one that cannot be reached`() async throws {
    try await withRealServer(
      .primary, configuration: ["rename-command CONFIG \"\"", "repl-diskless-sync-delay 0"]
    ) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let result = try await tool("create")
        #expect(result.status == 76, "\(result)")
        #expect(result.error.contains("the server has no CONFIG"), "\(result)")
        #expect(result.error.hasSuffix(" --via replication\n"), "\(result)")
        let hinted = try await tool("create", "--via", "replication")
        #expect(hinted.status == 0, "\(hinted)")
        let restored = try await tool(
          "restore", "latest", "--yes", "--restart-command", server.startCommand)
        #expect(restored.status == 76, "\(restored)")
        #expect(restored.error.contains("lacks a command"), "\(restored)")
      }
    }
  }

  @Test func `without BGSAVE a server has other ways`() async throws {
    try await withRealServer(.primary, configuration: ["rename-command BGSAVE \"\""]) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let result = try await tool("create")
        #expect(result.status == 76, "\(result)")
        #expect(result.error.contains("it has no BGSAVE\n"), "\(result)")
        #expect(result.error.hasSuffix(" --via replication\n"), "\(result)")
        #expect(try await tool("create", "--save", "save").status == 0)
      }
    }
  }

  @Test func `without XINFO no restore of streams begins`() async throws {
    try await withRealServer(
      .primary, configuration: ["rename-command XINFO \"\"", "appendonly yes"]
    ) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await Queue.fill(server)
        #expect(try await tool("create").status == 0)
        let process = server.processID
        for mode in ["--dry-run", "--yes"] {
          let restored = try await tool(
            "restore", "latest", mode, "--restart-command", server.startCommand)
          #expect(restored.status == 76, "\(restored)")
          #expect(restored.error.contains("lacks a command"), "\(restored)")
          #expect(restored.error.hasSuffix(" COMMAND INFO XINFO\n"), "\(restored)")
        }
        #expect(server.processID == process)
      }
    }
  }
}
