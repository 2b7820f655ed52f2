import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Runs that a signal ends.
@Suite struct SignalTests {
  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a run that a signal ends has a document too`(signal: Int32, code: Int32) async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let processID = try #require(server.processID)
        // The run waits for a server that answers nothing.
        kill(processID, SIGSTOP)
        defer { kill(processID, SIGCONT) }
        let result = try await tool.run(["create", "--json"]) { tool in
          try await eventually("the run holds the lock") {
            let holder = FileManager.default.contents(atPath: archives + "/.raibid-backup.lock")
            return String(decoding: holder ?? Data(), as: UTF8.self).contains("create")
          }
          kill(tool, signal)
        }
        #expect(result.status == code, "\(result)")
        let document = try result.json(Document.self)
        #expect(document.error.kind == "interrupted")
        #expect(document.error.exit_code == code)
        #expect(
          result.error.split(separator: "\n").last
            == "raibid-backup: cannot finish: a signal ended this run, and nothing half-done is left"
        )
      }
    }
  }

  @Test func `what nohup keeps away ends no run`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        tool.wrapper = ["nohup"]
        let processID = try #require(server.processID)
        kill(processID, SIGSTOP)
        defer { kill(processID, SIGCONT) }
        let result = try await tool.run(["create"]) { tool in
          try await eventually("the run holds the lock") {
            let holder = FileManager.default.contents(atPath: archives + "/.raibid-backup.lock")
            return String(decoding: holder ?? Data(), as: UTF8.self).contains("create")
          }
          kill(tool, SIGHUP)
          kill(processID, SIGCONT)
        }
        #expect(result.status == 0, "\(result)")
        #expect(try names(in: archives).contains { $0.hasSuffix(".rdb.gz") })
      }
    }
  }

  private struct Document: Decodable {
    let error: Fields

    struct Fields: Decodable {
      let kind: String
      let exit_code: Int32
    }
  }
}
