import FoundationEssentials
import TestSupport
import Testing

@Suite struct PasswordSourceTests {
  private let bytes: [UInt8] = Array("p\u{e4}ss ".utf8) + [0xff, 0x80, 0x22, 0x5c, 0x27, 0x0a]

  private func set(_ password: [UInt8], on server: RealServer) async throws {
    let escaped = password.map { byte in
      "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    #expect(
      try await server.cli(
        [], input: "CONFIG SET requirepass \"\(escaped.joined())\"\n") == "OK")
  }

  @Test func `a password is used byte for byte, and one final newline of a file is dropped`()
    async throws
  {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await withTemporaryDirectory { home in
          // The password itself ends in a newline, the file in two.
          try await set(bytes, on: server)
          let file = home + "/password"
          var tool = BackupTool(for: server, archives: archives)
          tool.environment["REDISCLI_AUTH"] = .some(nil)
          tool.options += ["--password-file", file]
          try Data(bytes + [0x0a]).write(to: URL(filePath: file))
          let good = try await tool("create")
          #expect(good.status == 0, "\(good)")
          try Data(bytes).write(to: URL(filePath: file))
          #expect(try await tool("create").status == 77)
          try Data(bytes + [0x0a, 0x0a]).write(to: URL(filePath: file))
          #expect(try await tool("create").status == 77)
        }
      }
    }
  }

  @Test func `a password comes from a process, from the environment, and from raibid's own file`()
    async throws
  {
    try await withRealServer(.primary, password: "pw\u{e4}") { server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        tool.environment["REDISCLI_AUTH"] = .some(nil)
        tool.wrapper = [
          "bash", "-c", "exec \"$@\" --password-file <(sleep 0.2; echo pw\u{e4})", "-",
        ]
        let piped = try await tool("create")
        #expect(piped.status == 0, "\(piped)")

        // The variable itself is not text in UTF-8.
        tool.wrapper = ["bash", "-c", "REDISCLI_AUTH=$'\\xff\\x01' exec \"$@\"", "-"]
        try await server.cli([], input: "CONFIG SET requirepass \"\\xff\\x01\"\n")
        let raw = try await tool("create")
        #expect(raw.status == 0, "\(raw)")
      }
    }
    try await withRealServer(.primary, password: "pw\u{e4}\"") { server in
      try await withTemporaryDirectory { archives in
        try await withTemporaryDirectory { home in
          let directory = home + "/.raibid"
          try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
          try Data(
            """
            {"host":"127.0.0.1","port":\(server.port),"password":"pw\u{e4}\\"","namespace":"x",
             "stream":"raibid:jobs","consumer_group":"raibid-workers","later":{"more":[1]}}
            """.utf8
          ).write(to: URL(filePath: directory + "/redis-credentials.json"))
          let tool = BackupTool(
            options: ["--target", "local", "--directory", archives], home: home)
          let outcome = try await tool("create", "--json")
          #expect(outcome.status == 0, "\(outcome)")
          #expect(outcome.output.contains("\"port\" : \(server.port)"))
        }
      }
    }
  }

  /// Where a password may stand, from the nearest to the command line.
  private enum Place: Int, CaseIterable {
    case typedFile, typedSecret, variableFile, variableSecret, redisVariable, settingsFile
    case settingsSecret, credentials
  }

  private static let pairs = Place.allCases.flatMap { near in
    Place.allCases.filter { $0.rawValue > near.rawValue }.map { (near, $0) }
  }.filter { $0.0 != .typedFile || $0.1 != .typedSecret }

  @Test func `of two places for the password the nearer to the command line counts`() async throws {
    try await FakePod.with { pod in
      try await pod.server.cli("CONFIG", "SET", "requirepass", "right")
      let data = ["right", "wrong"].map { name in
        "\"\(name)\":\"\(Data(name.utf8).base64EncodedString())\""
      }
      try pod.put("{\"data\":{\(data.joined(separator: ","))}}", "secret-s")
      try pod.put("{\"data\":{\"redis-password\":\"d3Jvbmc=\"}}", "secret-raibid-redis")
      for name in ["right", "wrong"] { try pod.put(name, name) }
      try FileManager.default.createDirectory(
        atPath: pod.directory + "/.raibid", withIntermediateDirectories: false)
      for (near, far) in Self.pairs {
        var tool = pod.tool
        var settings: [String] = []
        try pod.put("{}", ".raibid/redis-credentials.json")
        for (place, name) in [(near, "right"), (far, "wrong")] {
          let file = "\(pod.directory)/\(name)"
          switch place {
          case .typedFile: tool.options += ["--password-file", file]
          case .typedSecret: tool.options += ["--password-secret", "s/\(name)"]
          case .variableFile: tool.environment["RAIBID_BACKUP_PASSWORD_FILE"] = file
          case .variableSecret: tool.environment["RAIBID_BACKUP_PASSWORD_SECRET"] = "s/\(name)"
          case .redisVariable: tool.environment["REDISCLI_AUTH"] = name
          case .settingsFile: settings.append("\"password_file\":\"\(file)\"")
          case .settingsSecret: settings.append("\"password_secret\":\"s/\(name)\"")
          case .credentials:
            try pod.put("{\"password\":\"\(name)\"}", ".raibid/redis-credentials.json")
          }
        }
        try pod.put("{\(settings.joined(separator: ","))}", ".raibid/backup.json")
        let outcome = try await tool("create", "--namespace", "raibid-redis")
        #expect(outcome.status == 0, "\(near) before \(far): \(outcome)")
      }
      let both = try await pod.tool(
        "create", "--password-file", "right", "--password-secret", "s/right")
      #expect(both.status == 64, "\(both)")
    }
  }

  @Test func `a password file that cannot be used is named`() async throws {
    try await withTemporaryDirectory { home in
      let file = home + "/password"
      let tool = BackupTool(
        options: ["--target", "local", "--password-file", file], home: home)
      func complaint(_ fact: String, _ status: Int32 = 78) -> Complaint {
        Complaint(
          status: status, kind: status == 78 ? "config" : "denied",
          message: "cannot read the password in \(file): \(fact)", hint: "ls -l \(file)")
      }
      try await complaint("there is no such file").expect(of: tool, "create")
      for contents in ["", "\n"] {
        try Data(contents.utf8).write(to: URL(filePath: file))
        try await complaint("there is none in it").expect(of: tool, "create")
      }
      try FileManager.default.removeItem(atPath: file)
      try FileManager.default.createDirectory(atPath: file, withIntermediateDirectories: false)
      try await complaint("is a directory").expect(of: tool, "create")
      try FileManager.default.removeItem(atPath: file)
      try Data("x".utf8).write(to: URL(filePath: file))
      try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: file)
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: home)
      try await complaint("permission denied", 77).expect(of: tool.asNobody, "create")
      #expect(try names(in: home) == ["password"])
    }
  }

  @Test(arguments: [
    ("{", "it is not JSON", false), ("", "it is not JSON", false),
    ("[1]", "it is not an object", true), ("{\"port\":\"6379\"}", "port is not a number", true),
    ("{\"password\":7}", "password is not a string", true),
  ])
  func `a broken credentials file is named, without its contents`(
    contents: String, fact: String, isJSON: Bool
  ) async throws {
    try await withTemporaryDirectory { home in
      let directory = home + "/.raibid"
      try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
      let file = directory + "/redis-credentials.json"
      try Data(contents.utf8).write(to: URL(filePath: file))
      try await Complaint(
        status: 78, kind: "config", message: "cannot read the settings in \(file): \(fact)",
        hint: isJSON
          ? "jq 'map_values(type)' \(file)" : "python3 -m json.tool \(file) /dev/null"
      ).expect(of: BackupTool(options: ["--target", "local"], home: home), "create")
    }
  }

  @Test func `no password is in any output, file or argument list`() async throws {
    let password = "Xq9-never-to-be-seen"
    try await withRealServer(
      .primary, configuration: ["appendonly yes", "rdb-key-save-delay 2000"], password: password
    ) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let tool = BackupTool(for: server, archives: archives)
        let lines = Seen()
        let outcomes = try await [
          tool.run(["create", "--verbose"], whileRunning: lines.watch),
          tool.run(
            ["restore", "latest", "--yes", "--json", "--restart-command", server.startCommand],
            whileRunning: lines.watch),
          tool("create", "--port", "1"), tool("verify", "--all", "--json"),
          tool("create", "--user", "nobody-there"), tool("list", "--json"),
        ]
        for outcome in outcomes {
          #expect(!outcome.description.contains(password))
        }
        #expect(outcomes.prefix(2).map(\.status) == [0, 0], "\(outcomes)")
        for name in try FileManager.default.contentsOfDirectory(atPath: archives)
        where !name.hasSuffix(".gz") {
          let text = try String(contentsOfFile: archives + "/" + name, encoding: .utf8)
          #expect(!text.contains(password))
        }
        let seen = await lines.seen
        #expect(seen.contains { $0.contains("raibid-backup") })
        #expect(!seen.contains { $0.contains(password) })
      }
    }
  }

  /// The argument lists of all processes while one runs.
  private actor Seen {
    private(set) var seen: Set<String> = []

    func watch(_ processID: Int32) async throws {
      while let state = FileManager.default.contents(atPath: "/proc/\(processID)/stat"),
        !String(decoding: state, as: UTF8.self).contains(") Z ")
      {
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc")
        where Int32(name) != nil {
          // Processes come and go while they are listed.
          if let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") {
            seen.insert(String(decoding: line, as: UTF8.self))
          }
        }
        try await Task.sleep(for: .milliseconds(10))
      }
    }
  }
}
