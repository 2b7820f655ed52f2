import FoundationEssentials
import TestSupport
import Testing

/// How a server keeps its data over a restart.
enum Persistence: String, CaseIterable, CustomTestStringConvertible {
  case appendOnly = "append-only file"
  case appendOnlyAndSavePoints = "append-only file and save points"
  case savePoints = "save points"
  case nothing = "neither"

  var configuration: [String] {
    switch self {
    case .appendOnly: ["appendonly yes", "save \"\""]
    case .appendOnlyAndSavePoints: ["appendonly yes", "save 900 1"]
    case .savePoints: ["appendonly no", "save 900 1"]
    case .nothing: ["appendonly no", "save \"\""]
    }
  }

  var testDescription: String { rawValue }
}

@Suite struct RoundTripTests {
  @Test(arguments: ServerVersion.available, Persistence.allCases)
  func `a restore brings everything back, over one more restart too`(
    version: ServerVersion, persistence: Persistence
  ) async throws {
    try await withRealServer(
      version, configuration: persistence.configuration, password: "s3cret pass"
    ) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        try await Queue.fill(server)
        let before = try await Queue.picture(server)

        let created = try await tool("create")
        try #require(created.status == 0, "\(created)")
        #expect(created.output.isEmpty && created.error.isEmpty, "\(created)")
        #expect(try await tool("verify", "--all").status == 0)

        try await Queue.wreck(server)
        let wrecked = try await Queue.picture(server)
        let restored = try await tool(
          "restore", "latest", "--yes", "--restart-command", server.startCommand)
        try #require(restored.status == 0, "\(restored)")
        #expect(try await Queue.picture(server) == before)
        #expect(try await server.cli("SET", "after", "1") == "OK")
        #expect(try await server.cli("DEL", "after") == "1")

        #expect(try leftovers(in: server.directory) == [])
        // What is only in memory is gone with the next stop, unless the server saves at its end.
        try await server.restart()
        if persistence != .nothing {
          #expect(try await Queue.picture(server) == before)
        } else {
          #expect(try await server.cli("XLEN", "raibid:jobs") == "498")
        }

        // The data that was replaced is in the safety backup, which `latest` does not mean.
        let list = try await tool("list", "--json").json(List.self)
        #expect(list.archives.map { $0.tags["pre-restore"] != nil } == [true, false])
        let back = try await tool(
          "restore", list.archives[0].name, "--yes", "--no-safety-backup", "--restart-command",
          server.startCommand)
        try #require(back.status == 0, "\(back)")
        #expect(try await Queue.picture(server) == wrecked)
      }
    }
  }

  private struct List: Decodable {
    struct Archive: Decodable {
      let name: String
      let tags: [String: String]
    }

    let archives: [Archive]
  }

  /// What a restore must not leave on the volume.
  private func leftovers(in directory: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory).filter { path in
      ["restore", "before", "rollback", ".new"].contains { path.contains($0) }
    }
  }
}
