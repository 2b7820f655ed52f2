import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Servers that end while their dump is copied.
@Suite struct ServerEndTests {
  private struct Document: Decodable {
    struct Content: Decodable { let keys: Int }
    let content: Content
  }

  @Test(arguments: ["bgsave", "save"])
  func `a dump that is whole outlives its server`(method: String) async throws {
    try await whileCopying("--save", method) { server in
      try await server.stop(signal: SIGKILL)
    } then: { outcome, tool, port in
      try #require(outcome.status == 0, "\(outcome)")
      #expect(
        outcome.error.contains(
          "raibid-backup: warning: cannot reach 127.0.0.1:\(port): connection refused, now that its dump "
            + "is here whole: the archive is of the moment of that dump\n"), "\(outcome)")
      #expect(try outcome.json(Document.self).content.keys == 3001)
      let verified = try await tool("verify", "latest", "--quiet")
      #expect(verified.status == 0, "\(verified)")
    }
  }

  @Test func `one that was started again meanwhile is asked for a new dump`() async throws {
    try await whileCopying("--save", "bgsave") { server in
      try await server.stop(signal: SIGKILL)
      try await server.start()
    } then: { outcome, _, port in
      try #require(outcome.status == 0, "\(outcome)")
      #expect(
        outcome.error.contains("it was started again meanwhile; trying again in 1 s"), "\(outcome)")
      #expect(try outcome.json(Document.self).content.keys == 3001)
    }
  }

  @Test func `one that was started again without its data is not backed up`() async throws {
    try await whileCopying("--save", "bgsave") { server in
      try await server.stop(signal: SIGKILL)
      try await server.start()
      try await server.cli("FLUSHALL")
    } then: { outcome, tool, port in
      #expect(outcome.status == 69, "\(outcome)")
      #expect(
        outcome.output.contains(
          "cannot back up 127.0.0.1:\(port): it held 3001 keys when this run began, and after a restart "
            + "it holds 0"), "\(outcome)")
      let listed = try await tool("list")
      #expect(listed.output.isEmpty, "\(listed)")
    }
  }

  /// Does something to a server of 3001 keys when its dump is made and not yet here.
  private func whileCopying(
    _ options: String..., act: @escaping @Sendable (RealServer) async throws -> Void,
    then: @escaping @Sendable (BackupTool.Outcome, BackupTool, _ port: Int) async throws -> Void
  ) async throws {
    try await withRealServer(.primary, configuration: ["save \"\"", "rdbcompression no"]) {
      server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "3000", "key", "1000")
        try await server.cli("SETRANGE", "large", "3000000", "x")
        let tool = BackupTool(for: server, archives: archives)
        let log = server.directory + "/steps"
        var logged = tool
        logged.wrapper = ["bash", "-c", "exec \"$@\" 2> >(tee '\(log)' >&2)", "-"]
        // Six megabytes: seconds at this rate.
        let outcome = try await logged.run(
          ["create", "--json", "--verbose", "--limit-rate", "3M"] + options
        ) { _ in
          try await eventually("the rest of the dump is copied") {
            FileManager.default.contents(atPath: log)
              .map { String(decoding: $0, as: UTF8.self).contains("copying the dump\n") } == true
          }
          try await act(server)
        }
        try await then(outcome, tool, server.port)
      }
    }
  }
}
