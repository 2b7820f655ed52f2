import FoundationEssentials
import Glibc
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

  @Test func `a restore that is at work is not taken up by another, whatever its directory`()
    async throws
  {
    try await withRealServer(.primary, configuration: Persistence.appendOnly.configuration) {
      server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives + "/a")
        let other = BackupTool(for: server, archives: archives + "/b")
        try await Queue.fill(server)
        let before = try await Queue.picture(server)
        for directory in ["/a", "/b"] {
          try FileManager.default.createDirectory(
            atPath: archives + directory, withIntermediateDirectories: true)
        }
        try #require(try await tool("create").status == 0)
        for name in try names(in: archives + "/a") where !name.hasPrefix(".") {
          try FileManager.default.copyItem(
            atPath: archives + "/a/" + name, toPath: archives + "/b/" + name)
        }
        try await Queue.wreck(server)
        let journal = server.directory + "/raibid-restore.json"

        let result = try await tool.run([
          "restore", "latest", "--yes", "--restart-command", server.startCommand,
        ]) { process in
          try await eventually("the restore has begun") {
            FileManager.default.fileExists(atPath: journal)
          }
          // The safety backup has not begun.
          kill(process, SIGSTOP)
          defer { kill(process, SIGCONT) }
          for words in [["latest"], ["--resume"], ["--rollback"]] {
            let refused = try await other.run(
              ["restore"] + words + ["--yes", "--restart-command", server.startCommand])
            #expect(refused.status == 75, "\(refused)")
            #expect(
              refused.error == """
                raibid-backup: cannot begin: another restore of this server is at work; nothing was changed
                cause: process \(process) of this host is restoring it
                hint: ps -f -p \(process)

                """)
          }
          let key = try await other("restore", "latest", "--key", "raibid:jobs", "--yes")
          #expect(key.status == 78, "\(key)")
        }

        #expect(result.status == 0, "\(result)")
        #expect(try await Queue.picture(server) == before)
      }
    }
  }

  @Test func `status forgets a restore that was ended from another directory`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await server.cli("SET", "a", "1")
        try #require(try await tool("create").status == 0)
        let journal = server.directory + "/raibid-restore.json"
        let killed = try await tool.run([
          "restore", "latest", "--yes", "--restart-command", server.startCommand,
        ]) { process in
          try await eventually("the restore has begun") {
            FileManager.default.fileExists(atPath: archives + "/restores.jsonl")
          }
          kill(process, SIGKILL)
        }
        try #require(killed.status == 128 + SIGKILL)
        try FileManager.default.removeItem(atPath: journal)
        for name in try names(in: server.directory) where name.contains(".restore") {
          try FileManager.default.removeItem(atPath: server.directory + "/" + name)
        }
        #expect(try await tool("status").status == 79)
        #expect(try await tool("create").status == 0)
        let status = try await tool("status")
        #expect(status.status == 0, "\(status)")
      }
    }
  }
}
