import FoundationEssentials
import TestSupport
import Testing

@testable import BackupCLI

struct InspectTests {
  private struct Document: Decodable {
    struct Content: Decodable {
      struct Stream: Decodable {
        struct Group: Decodable {
          let name: String
          let pending: Int
          let dangling: Int
        }

        let key: String
        let length: Int
        let groups: [Group]
      }

      let keys: Int
      let streams: [Stream]
    }

    struct Largest: Decodable {
      let key: String?
      let bytes: Int
    }

    let schema_version: Int
    let path: String
    let content: Content
    let largest_keys: [Largest]
  }

  private struct Key: Decodable {
    let database: Int
    let key: String?
    let key_base64: String?
    let type: String
    let elements: Int
    let expires_at: String?
  }

  private func fixture(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .path + "/RDBFormatTests/Fixtures/\(name).rdb"
  }

  private let tool = BackupTool(options: [], home: "/nowhere")

  @Test func `the job queue of a plain dump is told in full`() async throws {
    let path = fixture("redis-7.0-raibid-jobs")
    let outcome = try await tool("inspect", path, "--json")
    try #require(outcome.status == 0, "\(outcome)")
    let document = try outcome.json(Document.self)
    #expect(document.schema_version == 1 && document.path == path)
    #expect(document.content.keys == 1)
    let stream = try #require(document.content.streams.first)
    #expect(stream.key == "raibid:jobs" && stream.length == 9950)
    #expect(stream.groups.map(\.name) == ["raibid-workers"])
    #expect(stream.groups.map(\.pending) == [500] && stream.groups.map(\.dangling) == [50])
    #expect(document.largest_keys.map(\.key) == ["raibid:jobs"])
  }

  @Test func `the text names stream, group, pending and deleted entries`() async throws {
    let outcome = try await tool("inspect", fixture("redis-7.0-raibid-jobs"))
    for words in [
      "redis RDB version 10", "checksum valid", "by Redis 7.0.15",
      "raibid:jobs (db0): 9950 entries",
      "group raibid-workers: 500 pending (50 of deleted entries), 6000 read",
      "raibid-agent-0: 117 pending",
    ] { #expect(outcome.output.contains(words), "\(words)\n\(outcome)") }
  }

  @Test func `one of a kind is told as one`() async throws {
    let inspected = try await tool("inspect", fixture("redis-8.6-small"))
    for words in ["setid (db0): 1 entry, 1-1", "emptied (db0): 0 entries\n", "2 libraries"] {
      #expect(inspected.output.contains(words), "\(words)\n\(inspected)")
    }
    let path = fixture("redis-7.0-raibid-jobs")
    let verified = try await tool("verify", path)
    #expect(verified.output == "\(path): valid, 1 key, 1 stream\n")
  }

  @Test func `many findings are told with their places, and cut`() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/dump.rdb"
      let empties = (10..<40).flatMap { [1, 3, UInt8(ascii: "e")] + Array("\($0)".utf8) + [0] }
      try Data(Array("REDIS0011".utf8) + empties + [255, 0, 0, 0, 0, 0, 0, 0, 0])
        .write(to: URL(filePath: path))
      let verified = try await tool("verify", path)
      let lines = verified.output.split(separator: "\n")
      try #require(lines.count == 22, "\(verified)")
      #expect(lines[0] == "\(path): valid, but the server wrote no checksum, 0 keys, 0 streams")
      #expect(
        lines[1]
          == #"  empty_value: an empty list, which servers drop, database 0, key "e10""#)
      #expect(lines[21] == "  … and 11 more (--json lists them)")
      let inspected = try await tool("inspect", path)
      #expect(
        inspected.output.hasSuffix(
          "key \"e29\"\n    … and 11 more (verify --json lists them)\n"), "\(inspected)")
    }
  }

  @Test func `every key is one line of JSON, binary names too`() async throws {
    let outcome = try await tool("inspect", fixture("redis-7.0-all-types-lru"), "--keys")
    try #require(outcome.status == 0, "\(outcome)")
    let keys = try outcome.output.split(separator: "\n").map {
      try JSONDecoder().decode(Key.self, from: Data($0.utf8))
    }
    let document = try await tool("inspect", fixture("redis-7.0-all-types-lru"), "--json")
      .json(Document.self)
    #expect(keys.count == document.content.keys)
    #expect(keys.allSatisfy { ($0.key == nil) != ($0.key_base64 == nil) })
    let binary = keys.compactMap { $0.key_base64.flatMap { Data(base64Encoded: $0) } }
    #expect(
      binary.contains(Data([0x62, 0x69, 0x6e, 0, 0x6b, 0x65, 0x79, 0xff, 0xfe, 13, 10, 0x31])))
    #expect(keys.contains { $0.expires_at?.hasPrefix("2101-") == true })
  }

  @Test func `a time that RFC 3339 cannot write is the nearest that it can`() {
    #expect(Shown.time(.max) == "9999-12-31T23:59:59.000Z")
    #expect(Shown.time(.min)?.hasPrefix("0000-01-") == true)
    #expect(Shown.time(1) == "1970-01-01T00:00:00.001Z")
    #expect(Shown.time(nil) == nil)
  }

  @Test func `a damaged file is told as such, with the place`() async throws {
    try await withTemporaryDirectory { directory in
      var bytes = try Data(contentsOf: URL(filePath: fixture("redis-7.0-raibid-jobs")))
      bytes.removeLast(100)
      let path = directory + "/cut.rdb"
      try bytes.write(to: URL(filePath: path))
      let outcome = try await tool("inspect", path)
      #expect(outcome.status == 65 && outcome.output.isEmpty, "\(outcome)")
      #expect(outcome.error.contains("cannot tell what is in \(path): it is damaged"))
      #expect(outcome.error.contains("database 0, key \"raibid:jobs\""))
    }
  }
}
