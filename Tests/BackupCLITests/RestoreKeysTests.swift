import FoundationEssentials
import TestSupport
import Testing

/// Single keys, written into the running server.
@Suite struct RestoreKeysTests {
  /// A server with the sample data and a backup of it.
  func withBackup(
    _ version: ServerVersion, configuration: [String] = [],
    filling commands: String? = nil,
    _ body: (RealServer, BackupTool) async throws -> Void
  ) async throws {
    try await withRealServer(version, configuration: configuration) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        if let commands {
          try await server.cli([], input: commands)
        } else {
          try await Queue.fill(server)
        }
        let created = try await tool("create")
        try #require(created.status == 0, "\(created)")
        try await body(server, tool)
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `one key comes back byte for byte, and the rest is left alone`(
    version: ServerVersion
  ) async throws {
    try await withBackup(version) { server, tool in
      let picture = "DUMP raibid:jobs\nXINFO STREAM raibid:jobs FULL COUNT 0\n"
      let before = try await server.cli([], input: picture)
      try await server.cli([], input: "DEL raibid:jobs\nSET plain new\n")
      let process = server.processID
      let outcome = try await tool("restore", "latest", "--key", "raibid:jobs", "--yes")
      try #require(outcome.status == 0, "\(outcome)")
      #expect(outcome.output.hasSuffix("restored: 1 key written and compared\n"))
      #expect(outcome.error == "")
      #expect(try await server.cli([], input: picture) == before)
      #expect(try await server.cli("GET", "plain") == "new")
      #expect(server.processID == process)
    }
  }

  @Test(arguments: ServerVersion.available)
  func `all keys of all databases come back as they were`(version: ServerVersion) async throws {
    try await withBackup(version) { server, tool in
      let before = try await Queue.picture(server)
      try await server.cli("FLUSHALL")
      let outcome = try await tool("restore", "latest", "--match", "*", "--yes")
      try #require(outcome.status == 0, "\(outcome)")
      #expect(try await Queue.picture(server) == before)
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a dump of any version goes into the servers that can load it`(
    version: ServerVersion
  ) async throws {
    let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "RDBFormatTests/Fixtures").path
    var loaded = 0
    for file in try names(in: fixtures).filter({ $0.hasSuffix(".rdb") && !$0.contains("empty") }) {
      try await withRealServer(version) { server in
        let tool = BackupTool(for: server, archives: server.directory + "/archives")
        let outcome = try await tool(
          "restore", "\(fixtures)/\(file)", "--match", "*", "--yes")
        guard outcome.status == 0 else {
          #expect(outcome.status == 76, "\(file): \(outcome)")
          #expect(try await server.cli("INFO", "keyspace").contains("keys=") == false)
          return
        }
        loaded += 1
        try await withTemporaryDirectory { directory in
          try FileManager.default.copyItem(
            atPath: "\(fixtures)/\(file)", toPath: directory + "/dump.rdb")
          try await withRealServer(version, directory: directory) { whole in
            let digest = try await whole.cli("DEBUG", "DIGEST")
            #expect(try await server.cli("DEBUG", "DIGEST") == digest, "\(file)")
          }
        }
      }
    }
    #expect(loaded > 0)
  }

  @Test func `what cannot be done is refused, and nothing is touched`() async throws {
    try await withBackup(.primary) { server, tool in
      try await server.cli("DEL", "list")
      let before = try await server.cli("DEBUG", "DIGEST")
      let directory = tool.options[tool.options.count - 1]
      let look = "raibid-backup inspect ARCHIVE --keys --directory \(directory)"
      let archive = try #require(try names(in: directory).first { $0.hasSuffix(".gz") })
      let path = "\(directory)/\(archive)"
      let hint = look.split(separator: "ARCHIVE").joined(separator: path)
      try await Complaint(
        status: 66, kind: "not_found",
        message: "cannot restore keys \"nope\", \"no\\x09\": not in \(path); nothing was changed",
        hint: hint
      ).expect(of: tool, "restore", "latest", "--yes", "--key=list", "--key=nope", "--key=no\t")
      try await Complaint(
        status: 66, kind: "not_found",
        message: "cannot restore keys of \(path): none in database 7 matches; nothing was changed",
        hint: hint
      ).expect(of: tool, "restore", "latest", "--yes", "--match=*", "--database=7")
      try await Complaint(
        status: 78, kind: "config",
        message: "cannot restore keys \"hash\", \"set\": there already; nothing was changed",
        hint: "AGAIN --replace"
      ).expect(of: tool, "restore", "latest", "--yes", "--key=list", "--key=set", "--key=hash")
      try await Complaint(
        status: 64, kind: "usage",
        message: "cannot restore latest: nobody can be asked, since there is no terminal",
        hint: "AGAIN --yes"
      ).expect(of: tool, "restore", "latest", "--key=list")
      #expect(try await server.cli("DEBUG", "DIGEST") == before)

      let dry = try await tool("restore", "latest", "--dry-run", "--match=l*")
      #expect(dry.status == 78, "\(dry)")
      let plan = try await tool("restore", "latest", "--dry-run", "--key=list")
      #expect(plan.status == 0 && plan.output.contains("create  0   list  list  3"), "\(plan)")
      #expect(try await server.cli("DEBUG", "DIGEST") == before)
      #expect(try names(in: directory).contains("restores.jsonl") == false)
    }
  }

  @Test func `a damaged archive writes nothing`() async throws {
    try await withBackup(.primary) { server, tool in
      let directory = tool.options[tool.options.count - 1]
      let archive = try #require(try names(in: directory).first { $0.hasSuffix(".gz") })
      let path = "\(directory)/\(archive)"
      let whole = try Data(contentsOf: URL(filePath: path))
      try whole.prefix(whole.count - 20).write(to: URL(filePath: path))
      try await server.cli("DEL", "list")
      let before = try await server.cli("DEBUG", "DIGEST")
      let outcome = try await tool("restore", path, "--key", "list", "--yes")
      #expect(outcome.status == 65, "\(outcome)")
      #expect(try await server.cli("DEBUG", "DIGEST") == before)
    }
  }

  @Test func `what is replaced is backed up first, and both are logged`() async throws {
    try await withBackup(.primary) { server, tool in
      try await server.cli([], input: "SET plain new\nDEL list\n")
      let arguments = ["restore", "latest", "--key=plain", "--key=list", "--yes", "--replace"]
      let outcome = try await tool.run(arguments + ["--json"])
      try #require(outcome.status == 0, "\(outcome)")
      let document = try outcome.json(Document.self)
      #expect((document.created, document.replaced, document.not_written) == (1, 1, 0))
      let safety = try #require(document.safety_backup)
      #expect(try await server.cli("GET", "plain") == "value")

      let back = try await tool.run(["restore", safety] + arguments.dropFirst(2))
      #expect(back.status == 66, "\(back)")
      let plain = try await tool(
        "restore", safety, "--key=plain", "--yes", "--replace", "--no-safety-backup")
      #expect(plain.status == 0, "\(plain)")
      #expect(try await server.cli("GET", "plain") == "new")
      let directory = tool.options[tool.options.count - 1]
      #expect(try names(in: directory).filter { $0.hasSuffix(".rdb.gz") }.count == 2)
      let log = try String(contentsOfFile: directory + "/restores.jsonl", encoding: .utf8)
      let events = log.split(separator: "\n").compactMap { line in
        line.split(separator: "\"event\":\"").last?.split(separator: "\"").first.map(String.init)
      }
      #expect(
        events == ["keys_started", "keys_restored", "keys_started", "keys_restored"])
    }
  }

  @Test func `keys that would have expired are left out, moved, or kept for ever`() async throws {
    let filling = "SET soon v PX 1500\nSET later v EX 100000\nSET ever v\n"
    try await withBackup(.primary, filling: filling) { server, tool in
      try await eventually("the key has expired") { try await server.cli("GET", "soon") == "" }
      try await server.cli("FLUSHALL")
      let alone = try await tool("restore", "latest", "--key=soon", "--yes")
      #expect(alone.status == 66, "\(alone)")
      #expect(
        alone.error.hasPrefix(
          "raibid-backup: cannot restore the key: it has expired since the backup; "
            + "nothing was changed\nhint: "), "\(alone)")

      func run(_ rule: String, _ more: String...) async throws -> Document {
        try await tool.run(
          ["restore", "latest", "--match=*", "--ttl", rule, "--json", "--no-safety-backup"] + more
        ).json(Document.self)
      }
      let kept = try await run("keep", "--yes")
      #expect((kept.created, kept.expired, kept.not_written) == (2, 1, 0))
      let later = try #require(kept.keys.first { $0.key == "later" })
      #expect(later.expires_at == later.expires_at_in_backup && later.state == "written")
      #expect(kept.keys.first { $0.key == "soon" }?.state == "expired")
      #expect(try await server.cli("EXISTS", "soon", "later", "ever") == "2")

      let extended = try await run("extend", "--dry-run", "--replace")
      for key in extended.keys where key.key != "ever" {
        #expect(key.expires_at != key.expires_at_in_backup)
      }
      #expect(extended.keys.first { $0.key == "ever" }?.expires_at == nil)

      let dropped = try await run("drop", "--yes", "--replace")
      #expect((dropped.created, dropped.replaced, dropped.expired) == (1, 2, 0))
      #expect(try await server.cli("TTL", "soon") == "-1")
      #expect(try await server.cli("TTL", "later") == "-1")
    }
  }

  @Test(arguments: ["allkeys-lfu", "allkeys-lru"])
  func `how much a key was used comes back too`(policy: String) async throws {
    let isLFU = policy == "allkeys-lfu"
    // Often used, so that the count does not go down while the test runs.
    let use = isLFU ? String(repeating: "LRANGE list 0 0\n", count: 3_000) : ""
    let configuration = ["maxmemory-policy \(policy)", "lfu-decay-time 0"]
    try await withBackup(
      .primary, configuration: configuration, filling: "RPUSH list a b\n" + use
    ) { server, tool in
      let question = ["OBJECT", isLFU ? "FREQ" : "IDLETIME", "list"]
      if !isLFU {
        try await eventually("the key is idle") {
          try await (Int(server.cli(question)) ?? 0) >= 2
        }
        #expect(try await tool("create").status == 0)
      }
      let before = try #require(Int(try await server.cli(question)))
      try await server.cli("DEL", "list")
      let outcome = try await tool("restore", "latest", "--key=list", "--yes")
      try #require(outcome.status == 0, "\(outcome)")
      let after = try #require(Int(try await server.cli(question)))
      #expect(isLFU ? after == before && before > 5 : after >= 2, "\(before) \(after)")
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a user needs these rights and no more`(version: ServerVersion) async throws {
    try await withBackup(version) { server, tool in
      let rights =
        "~raibid:* -@all +info +select +exists +multi +exec +restore +type +pttl +xinfo"
      try await server.cli([], input: "ACL SETUSER keys on >pass \(rights)\nDEL raibid:jobs\n")
      var user = tool
      user.options += ["--user", "keys"]
      user.environment["REDISCLI_AUTH"] = "pass"
      let words = ["restore", "latest", "--key=raibid:jobs", "--yes"]
      try await server.cli("ACL", "SETUSER", "keys", "-xinfo")
      let denied = try await user.run(words)
      #expect(denied.status == 77, "\(denied)")
      #expect(
        denied.error.contains(": user keys lacks a right; nothing was changed\n"), "\(denied)")
      #expect(try await server.cli("EXISTS", "raibid:jobs") == "0")
      try await server.cli("ACL", "SETUSER", "keys", "+xinfo")
      let allowed = try await user.run(words)
      #expect(allowed.status == 0, "\(allowed)")
      #expect(try await server.cli("XLEN", "raibid:jobs") == "498")
    }
  }

  @Test func `keys come back over a blocked worker, with each entry given once`() async throws {
    try await withBackup(.primary) { server, tool in
      try await server.cli("DEL", "raibid:jobs", "list")
      async let taken = server.cli("BLPOP", "list", "60")
      try await eventually("the worker waits") {
        try await server.cli("INFO", "clients").contains("blocked_clients:1")
      }
      let outcome = try await tool("restore", "latest", "--key=list", "--yes")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try await taken == "list\na")
      #expect(try await server.cli("LRANGE", "list", "0", "-1") == "b\nc")
    }
  }

  struct Document: Decodable {
    struct Key: Decodable {
      let key: String
      let expires_at: String?
      let expires_at_in_backup: String?
      let state: String?
      let message: String?
    }

    let result: String
    let keys: [Key]
    let created: Int
    let replaced: Int
    let expired: Int
    let not_written: Int
    let safety_backup: String?
  }
}
