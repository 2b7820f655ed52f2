import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Dumps of a local server that are read while it writes them.
@Suite struct FollowedSaveTests {
  @Test(
    arguments: ServerVersion.available.map { ($0, "bgsave") }
      + ServerVersion.available.prefix(1).map { ($0, "save") })
  func `a dump is compressed while the server writes it`(
    version: ServerVersion, method: String
  ) async throws {
    try await saving(version, with: method) { server, archives, _ in
      try await eventually("the archive grows") { try size(of: archives, ".part") > 0 }
      #expect(try size(of: server.directory, ".rdb", from: "temp-") > 0, "the save has ended")
    } then: { outcome, tool, server in
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try outcome.json(Document.self).content.keys == 400)
      let verified = try await tool("verify", "latest", "--quiet")
      #expect(verified.status == 0, "\(verified)")
      #expect(
        try FileManager.default.attributesOfItem(atPath: server.directory + "/dump.rdb")[.size]
          as? Int == outcome.json(Document.self).rdb.bytes)
    }
  }

  @Test func `a save that is killed half-way leaves nothing`() async throws {
    try await saving(.primary, with: "bgsave") { server, archives, _ in
      try await eventually("the archive grows") { try size(of: archives, ".part") > 0 }
      let child = try #require(try names(in: server.directory).compactMap(writer(of:)).first)
      kill(child, SIGKILL)
    } then: { outcome, tool, _ in
      #expect(outcome.status == 69, "\(outcome)")
      #expect(
        outcome.error.hasPrefix(
          "raibid-backup: cannot save on the server: it could not write its dump\n"), "\(outcome)")
      try expectNothing(in: tool)
    }
  }

  @Test func `a backup that is ended meanwhile leaves nothing`() async throws {
    try await saving(.primary, with: "bgsave") { _, archives, processID in
      try await eventually("the archive grows") { try size(of: archives, ".part") > 0 }
      kill(processID, SIGINT)
    } then: { outcome, tool, _ in
      #expect(outcome.status == 130, "\(outcome)")
      try expectNothing(in: tool)
    }
  }

  @Test func `a file that somebody else begins meanwhile is not taken for the dump`() async throws {
    try await saving(.primary, with: "save") { server in
      // The name of the server's own file: that it begins this one again shows nowhere.
      let processID = try #require(server.processID)
      try Data("old".utf8)
        .write(to: URL(filePath: server.directory + "/temp-\(processID).rdb"))
    } act: { server, archives, _ in
      try await eventually("the server saves") {
        try size(of: server.directory, ".rdb", from: "temp-") > 3
      }
      try Data(repeating: 7, count: 3 << 20)
        .write(to: URL(filePath: server.directory + "/temp-1.rdb"))
      try await eventually("it is read") { try size(of: archives, ".part") > 0 }
    } then: { outcome, tool, _ in
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try outcome.json(Document.self).content.keys == 400)
      let verified = try await tool("verify", "latest", "--quiet")
      #expect(verified.status == 0, "\(verified)")
    }
  }

  private func expectNothing(in tool: BackupTool) throws {
    let archives = try #require(tool.options.last)
    #expect(try names(in: archives) == [])
  }

  private struct Document: Decodable {
    struct Content: Decodable { let keys: Int }
    struct RDB: Decodable { let bytes: Int }
    let content: Content
    let rdb: RDB
  }

  /// Does something while a server saves four megabytes for some seconds.
  private func saving(
    _ version: ServerVersion, with method: String,
    before: (RealServer) throws -> Void = { _ in },
    act:
      @escaping @Sendable (RealServer, _ archives: String, _ processID: Int32) async throws -> Void,
    then: (BackupTool.Outcome, BackupTool, RealServer) async throws -> Void
  ) async throws {
    try await withRealServer(
      version, configuration: ["save \"\"", "rdbcompression no", "rdb-key-save-delay 10000"]
    ) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "400", "key", "10000")
        try before(server)
        let tool = BackupTool(for: server, archives: archives)
        let outcome = try await tool.run(
          ["create", "--json", "--quiet", "--save", method]
        ) { processID in
          try await act(server, archives, processID)
        }
        try await then(outcome, tool, server)
      }
    }
  }
}

/// The process that writes a dump, by the name of its file.
private func writer(of name: String) -> Int32? {
  guard name.hasPrefix("temp-"), name.hasSuffix(".rdb") else { return nil }
  return Int32(name.dropFirst(5).dropLast(4))
}

/// The size of the first file with these ends in a directory; 0 where there is none.
private func size(
  of directory: String, _ suffix: String, from prefix: String = ""
) throws -> Int {
  guard
    let name = try names(in: directory).first(where: {
      $0.hasPrefix(prefix) && $0.hasSuffix(suffix)
    })
  else { return 0 }
  // It may have gone since.
  return FileManager.default.contents(atPath: directory + "/" + name)?.count ?? 0
}
