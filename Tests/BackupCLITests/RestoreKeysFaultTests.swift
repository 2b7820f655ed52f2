import FoundationEssentials
import Glibc
import TestSupport
import Testing

// What goes wrong while single keys are written.

extension RestoreKeysTests {
  @Test func `a restore that fails half-way tells exactly how far it came`() async throws {
    let filling = "SET small v\nSELECT 1\nSETRANGE large 30000000 x\nSELECT 2\nSET last v\n"
    try await withBackup(
      .primary, configuration: ["rdbcompression no"], filling: filling
    ) { server, tool in
      try await server.cli([], input: "FLUSHALL\nCONFIG SET maxmemory 20mb\n")
      let outcome = try await tool("restore", "latest", "--match=*", "--yes", "--json")
      #expect(outcome.status == 81, "\(outcome)")
      let document = try outcome.json(Document.self)
      #expect(document.result == "partial")
      // The third may be under way already when the second is refused.
      #expect(document.keys.prefix(2).map(\.state) == ["written", "refused"], "\(outcome)")
      #expect((document.created, document.not_written) == (1, 2))
      #expect(document.keys[1].message?.hasPrefix("OOM ") == true)
      let lines = outcome.error.split(separator: "\n").map(String.init)
      #expect(
        lines[0] == "raibid-backup: cannot restore all of 3 keys: 1 are written, 2 are not")
      #expect(
        lines[1].hasPrefix(
          "cause: cannot write key \"large\": the server may take no more memory: OOM "))
      #expect(lines[2].hasSuffix(" --replace"))
      #expect(try await server.cli("GET", "small") == "v")

      try await server.cli("CONFIG", "SET", "maxmemory", "0")
      let again = try await tool(
        "restore", "latest", "--match=*", "--yes", "--replace", "--no-safety-backup")
      #expect(again.status == 0, "\(again)")
      #expect(try await server.cli("-n", "1", "STRLEN", "large") == "30000001")
      #expect(try await server.cli("-n", "2", "GET", "last") == "v")
    }
  }

  private static let hundredKeys = (1...100).map { "SET k:\($0) v\n" }.joined()

  /// Runs a restore of a hundred keys into a server that holds all writes back, until it waits.
  private func restoreHeldBack(
    _ server: RealServer, _ tool: BackupTool,
    whileWaiting: @escaping @Sendable (_ processID: Int32) async throws -> Void
  ) async throws -> BackupTool.Outcome {
    try await server.cli([], input: "FLUSHALL\nCLIENT PAUSE 600000 WRITE\n")
    let words = ["restore", "latest", "--match=*", "--yes", "--json", "--verbose"]
    return try await tool.run(words) { processID in
      try await eventually("the server holds the first transaction back") {
        try await server.cli("INFO", "clients").contains("blocked_clients:1")
      }
      try await whileWaiting(processID)
    }
  }

  @Test func `an interrupted restore ends what is under way, and tells how far it came`()
    async throws
  {
    try await withBackup(.primary, filling: Self.hundredKeys) { server, tool in
      let outcome = try await restoreHeldBack(server, tool) { processID in
        kill(processID, SIGINT)
        try await eventually("the tool stops") {
          try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
            .contains("stopping after the keys that are under way\n")
        }
        try await server.cli("CLIENT", "UNPAUSE")
      }
      #expect(outcome.status == 81, "\(outcome)")
      let document = try outcome.json(Document.self)
      let written = try await server.cli("DBSIZE")
      #expect("\(document.created)" == written && document.created + document.not_written == 100)
      #expect((1..<100).contains(document.created), "\(outcome)")
      #expect(document.keys.count { $0.state == "not_written" } == document.not_written)
      #expect(
        outcome.error.contains(
          "raibid-backup: cannot restore all of 100 keys: \(written) are written, "
            + "\(document.not_written) are not\ncause: it was interrupted\nhint: "), "\(outcome)")
    }
  }

  @Test func `what a server that dies has taken is told as unknown`() async throws {
    try await withBackup(.primary, filling: Self.hundredKeys) { server, tool in
      let outcome = try await restoreHeldBack(server, tool) { _ in
        try await server.stop(signal: SIGKILL)
      }
      #expect(outcome.status == 81, "\(outcome)")
      let document = try outcome.json(Document.self)
      let unknown = document.keys.count { $0.state == "unknown" }
      #expect(unknown > 0 && document.created == 0 && document.not_written == 100)
      #expect(
        outcome.error.contains(
          "cannot restore all of 100 keys: 0 are written, \(100 - unknown) are not, "
            + "of \(unknown) it is not known\ncause: cannot reach "), "\(outcome)")
    }
  }

  @Test func `a server that refuses every write is told of, with nothing changed`() async throws {
    try await withBackup(.primary) { server, tool in
      try await server.cli([], input: "DEL list\nCONFIG SET min-replicas-to-write 3\n")
      let busy = try await tool("restore", "latest", "--key=list", "--yes")
      #expect(busy.status == 75, "\(busy)")
      #expect(
        busy.error.hasPrefix(
          "raibid-backup: cannot write key \"list\": the server refuses writes; nothing was changed\n"
        ), "\(busy)")
      try await server.cli("REPLICAOF", "127.0.0.1", "1")
      let replica = try await tool("restore", "latest", "--key=list", "--yes")
      #expect(replica.status == 76, "\(replica)")
    }
  }

  @Test func `a server that is not fit for the keys is not touched`() async throws {
    try await withBackup(.primary) { server, tool in
      let directory = tool.options[tool.options.count - 1]
      let archive = try #require(try names(in: directory).first { $0.hasSuffix(".gz") })
      let words = ["restore", "\(directory)/\(archive)", "--match=*", "--yes"]
      try await withRealServer(.primary, configuration: ["databases 2"]) { other in
        let small = BackupTool(for: other, archives: other.directory + "/archives")
        let source = try await small.run(words)
        #expect(source.status == 78 && source.error.contains("--from-other-source"), "\(source)")
        let outcome = try await small.run(words + ["--from-other-source"])
        #expect(outcome.status == 76, "\(outcome)")
        #expect(
          outcome.error.hasPrefix(
            "raibid-backup: cannot restore keys of database 3: the server has no such one; "
              + "nothing was changed\n"), "\(outcome)")
        #expect(try await other.cli("DBSIZE") == "0")
        let one = try await small.run(words + ["--from-other-source", "--database=0"])
        #expect(one.status == 0, "\(one)")
      }
      try await withRealServer(.primary, configuration: ["cluster-enabled yes"]) { node in
        let cluster = BackupTool(for: node, archives: node.directory + "/archives")
        let outcome = try await cluster.run(words + ["--from-other-source", "--database=0"])
        #expect(outcome.status == 76 && outcome.error.contains("in cluster mode"), "\(outcome)")
      }
    }
  }
}
