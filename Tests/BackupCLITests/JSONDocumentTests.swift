import FoundationEssentials
import TestSupport
import Testing

@Suite struct JSONDocumentTests {
  @Test func `a list of no archive, of one, and of many is one document, newest first`()
    async throws
  {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let none = try await tool("list", "--json").json(List.self)
        #expect(none.archives.isEmpty && none.schema_version == 1)
        #expect(try await tool("create").status == 0)
        #expect(try await tool("list", "--json").json(List.self).archives.count == 1)
        let series = try ArchiveSeries(in: archives)
        let names = (0..<200).map { ArchiveSeries.name(ago: Double($0) * 86400 + 9) }
        for name in names.shuffled() { try series.add(name) }
        let many = try await tool("list", "--json").json(List.self)
        #expect(many.archives.map(\.name) == names)
        #expect(many.archives.allSatisfy { $0.state == "verified" })
      }
    }
  }

  private struct List: Decodable {
    struct Archive: Decodable {
      let name: String
      let state: String
    }
    let schema_version: Int
    let archives: [Archive]
  }

  @Test func `every key is documented, and every documented key occurs`() async throws {
    let server = ServerVersion.available.first { $0.isAtLeast(7, 0) }
    try await withRealServer(try server ?? .primary, configuration: ["appendonly yes"]) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        try await server.cli(
          [],
          input: """
            XGROUP CREATE "\\xff" "\\xfe" $ MKSTREAM
            XADD "\\xff" * a b
            XREADGROUP GROUP "\\xfe" "\\xfd" STREAMS "\\xff" >

            """)
        let tool = BackupTool(for: server, archives: archives)
        let manifest = Self.paths(in: try await tool("create", "--json", "--tag", "a=b"))
        #expect(manifest.symmetricDifference(try Self.documented("Manifest")).sorted() == [])

        let list = Self.paths(in: try await tool("list", "--json"))
        let inList = manifest.subtracting(["schema_version"]).map { "archives[].\($0)" }
        #expect(
          list.subtracting(inList).subtracting(["archives[].schema_version"])
            .symmetricDifference(
              try Self.documented("List").subtracting(["archives[].name"])
            ).sorted() == [])
        #expect(list.isSuperset(of: inList))

        let inspected = Self.paths(in: try await tool("inspect", "latest", "--json"))
        let inManifest = manifest.filter { path in
          ["rdb", "content"].contains { path == $0 || path.hasPrefix($0 + ".") }
        }
        #expect(
          inspected.subtracting(inManifest)
            .symmetricDifference(try Self.documented("Inspect")).sorted() == [])
        #expect(inspected.isSuperset(of: inManifest))
        let lines = try await tool("inspect", "latest", "--keys").output.split(separator: "\n")
        let keys = try lines.reduce(into: Set<String>()) { keys, line in
          let value = try JSONDecoder().decode(Value.self, from: Data(line.utf8))
          keys.formUnion(value.paths(below: ""))
        }
        #expect(keys.symmetricDifference(try Self.documented("Inspect keys")).sorted() == [])

        // Both streams move on.
        try await server.cli([], input: "XADD \"\\xff\" * a b\nXADD raibid:jobs * a b\n")
        let restored = Self.paths(
          in: try await tool(
            "restore", "latest", "--yes", "--json", "--pending", "report", "--restart-command",
            server.startCommand))
        #expect(restored.symmetricDifference(try Self.documented("Restore")).sorted() == [])
        let dryRun = Self.paths(
          in: try await tool(
            "restore", "latest", "--dry-run", "--json", "--restart-command", server.startCommand))
        #expect(dryRun.isSubset(of: restored))
        let keyed = ["restore", "latest", "--match", "*", "--replace", "--json"]
        let single = Self.paths(in: try await tool.run(keyed + ["--yes"]))
        #expect(single.symmetricDifference(try Self.documented("Restore keys")).sorted() == [])
        let planned = Self.paths(in: try await tool.run(keyed + ["--dry-run"]))
        #expect(planned == single)

        let verified = Self.paths(
          in: try await tool.run(["verify", "--json"] + damaged(server, in: archives)))
        #expect(verified.symmetricDifference(try Self.documented("Verify")).sorted() == [])

        let status = Self.paths(in: try await tool("status", "--json"))
        #expect(status.symmetricDifference(try Self.documented("Status")).sorted() == [])
        let pinned = Self.paths(in: try await tool("pin", "latest", "--json"))
        #expect(pinned.symmetricDifference(try Self.documented("Pin")).sorted() == [])
        #expect(try await tool("unpin", "latest").status == 0)
        #expect(try await tool("create").status == 0)
        // The server was emptied meanwhile.
        let pruned = Self.paths(
          in: try await tool("prune", "--json", "--keep-last", "1", "--shrink-limit", "0"))
        #expect(pruned.symmetricDifference(try Self.documented("Prune")).sorted() == [])

        let settings = Self.paths(
          in: try await tool.run(["config", "show", "--json"], plain: true))
        #expect(settings.symmetricDifference(try Self.documented("Config")).sorted() == [])

        let error = Self.paths(in: try await tool("verify", "--json", "/none"))
        #expect(error.symmetricDifference(try Self.documented("Errors")).sorted() == [])
      }
    }
  }

  /// Files that end in the value of a key, one whose name is text and one whose name is not.
  private func damaged(_ server: RealServer, in directory: String) async throws -> [String] {
    var files: [String] = []
    for key in ["text", "\\xff"] {
      try await server.cli([], input: "FLUSHALL\nSETRANGE \"\(key)\" 100000 x\n")
      try await server.cli("CONFIG", "SET", "rdbcompression", "no")
      try await server.cli("SAVE")
      let dump = try Data(contentsOf: URL(filePath: server.directory + "/dump.rdb"))
      files.append("\(directory)/\(files.count).rdb")
      try dump.prefix(dump.count - 500).write(to: URL(filePath: files[files.count - 1]))
    }
    return files
  }

  /// The paths of all keys of a document.
  private static func paths(in outcome: BackupTool.Outcome) -> Set<String> {
    do {
      return try outcome.json(Value.self).paths(below: "")
    } catch {
      Issue.record("\(error): \(outcome)")
      return []
    }
  }

  /// The keys in the table of a chapter.
  private static func documented(_ chapter: String) throws -> Set<String> {
    let text = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/json.md"),
      encoding: .utf8)
    let lines = text.split(separator: "\n").drop { $0 != "## \(chapter)" }.dropFirst()
      .prefix { !$0.hasPrefix("## ") }
    let keys = lines.filter { $0.hasPrefix("| `") }
      .compactMap { $0.split(separator: "`").dropFirst().first.map(String.init) }
    #expect(Set(keys).count == keys.count)
    return Set(keys)
  }

  private indirect enum Value: Decodable {
    case object([String: Value])
    case array([Value])
    case other

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let object = try? container.decode([String: Value].self) {
        self = .object(object)
      } else if let array = try? container.decode([Value].self) {
        self = .array(array)
      } else {
        self = .other
      }
    }

    func paths(below path: String) -> Set<String> {
      switch self {
      case .object(let object):
        let isOpen = ["tags", "rdb.aux"].contains { path == $0 || path.hasSuffix("[].\($0)") }
        return object.reduce(into: []) { paths, member in
          let name = isOpen ? "*" : member.key
          let below = path.isEmpty ? name : "\(path).\(name)"
          paths.insert(below)
          paths.formUnion(member.value.paths(below: below))
        }
      case .array(let array):
        return array.reduce(into: []) { $0.formUnion($1.paths(below: path + "[]")) }
      case .other:
        return []
      }
    }
  }
}
