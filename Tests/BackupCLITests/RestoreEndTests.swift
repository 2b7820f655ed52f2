import FoundationEssentials
import TestSupport
import Testing

/// What a restore says when something fails late, and what it leaves then.
@Suite struct RestoreEndTests {
  @Test func `a restore that fails after its comparison does not say that the old data is served`()
    async throws
  {
    try await withRealServer(.primary, configuration: Persistence.appendOnly.configuration) {
      server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await Queue.fill(server)
        let before = try await Queue.picture(server)
        try #require(try await tool("create").status == 0)
        try await Queue.wreck(server)
        // Something in the directory of the old files that cannot be removed as a file is.
        let start =
          "for d in \(server.directory)/appendonlydir.before-*; do mkdir $d/x; done; "
          + server.startCommand

        let result = try await tool("restore", "latest", "--yes", "--restart-command", start)

        #expect(result.status == 74, "\(result)")
        #expect(result.error.contains("the backup's data is served"), "\(result)")
        #expect(try await Queue.picture(server) == before)
        for name in try FileManager.default.contentsOfDirectory(atPath: server.directory)
        where name.hasPrefix("appendonlydir.before-") {
          try FileManager.default.removeItem(atPath: "\(server.directory)/\(name)/x")
        }
        let resumed = try await tool(
          "restore", "--resume", "--yes", "--restart-command", server.startCommand)
        #expect(resumed.status == 0, "\(resumed)")
        #expect(try await Queue.picture(server) == before)
      }
    }
  }
}
