import TestSupport
import Testing

/// Servers that lack what a backup or a restore needs.
@Suite struct LackingServerTests {
  @Test func `a server without CONFIG is not one that cannot be reached`() async throws {
    try await withRealServer(.primary, configuration: ["rename-command CONFIG \"\""]) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let result = try await tool("create")
        #expect(result.status == 76, "\(result)")
        #expect(result.error.contains("lacks a command"), "\(result)")
      }
    }
  }
}
