import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import BackupCLI

@Suite struct ConfigTests {
  @Test
  func `an option comes before a variable, a variable before the file, a section before the rest`()
    async throws
  {
    try await withTemporaryDirectory { home in
      var tool = BackupTool(options: [], home: home)
      func isSearched(_ directory: String, _ arguments: String...) async throws -> Bool {
        try await tool.run(["list"] + arguments).error == "no archives in \(directory)\n"
      }
      #expect(try await isSearched(home + "/.raibid/backups"))
      try writeSettings(
        #"{"$schema": "x", "directory": "~/shared", "create": {"directory": "/no"}}"#, home)
      #expect(try await isSearched(home + "/shared"))
      try writeSettings(#"{"directory": "/shared", "list": {"directory": "/own"}}"#, home)
      #expect(try await isSearched("/own"))
      tool.environment["RAIBID_BACKUP_DIRECTORY"] = "/variable"
      #expect(try await isSearched("/variable"))
      #expect(try await isSearched("/option", "--directory", "/option"))
      #expect(try await isSearched("/option", "--directory=/option"))
      tool.environment["RAIBID_BACKUP_DIRECTORY"] = ""
      try Data(#"{"directory": "/other"}"#.utf8).write(to: URL(filePath: home + "/other.json"))
      #expect(try await isSearched("/other", "--config", home + "/other.json"))
      tool.environment["RAIBID_BACKUP_CONFIG"] = home + "/other.json"
      #expect(try await isSearched("/other"))
    }
  }

  @Test
  func `settings for one command do not disturb another`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        try writeSettings(
          """
          {"target": "local", "port": \(server.port), "directory": "\(archives)", "keep_last": 1,
           "shrink_limit": 40, "create": {"tag": ["a=b", "c=d,e"], "level": 1},
           "restore": {"keep_old": true, "pending": "report", "restart_command": "true"}}
          """, server.directory)
        var tool = BackupTool(options: [], home: server.directory)
        tool.environment["REDISCLI_AUTH"] = server.password
        let created = try await tool("create", "--json")
        #expect(created.status == 0, "\(created)")
        let manifest = try created.json(Tagged.self)
        #expect(manifest.tags == ["a": "b", "c": "d,e"])
        #expect(manifest.archive.level == 1)
        let other = try await tool("create", "--json", "--tag", "x=y").json(Tagged.self)
        #expect(other.tags == ["x": "y"])
        tool.environment["RAIBID_BACKUP_TAG"] = "p=q,r=s"
        #expect(try await tool("create", "--json").json(Tagged.self).tags == ["p": "q", "r": "s"])
        #expect(try await tool("list", "--json").json(Listed.self).archives.count == 3)
        let plan = try await tool("restore", "latest", "--dry-run")
        #expect(plan.status == 0, "\(plan)")
        let keys = try await tool("restore", "latest", "--key", "b", "--dry-run")
        #expect(keys.status == 66, "\(keys)")

        tool.environment["RAIBID_BACKUP_PRUNE"] = "yes"
        tool.environment["RAIBID_BACKUP_KEEP_LAST"] = "2"
        #expect(try await tool("create").status == 0)
        #expect(try await tool("list", "--json").json(Listed.self).archives.count == 2)
        tool.environment["RAIBID_BACKUP_PRUNE"] = "no"
        #expect(try await tool("create").status == 0)
        #expect(try await tool("list", "--json").json(Listed.self).archives.count == 3)
        #expect(try await tool("prune").status == 0)
        #expect(try await tool("list", "--json").json(Listed.self).archives.count == 2)
      }
    }
  }

  private struct Tagged: Decodable {
    struct Archive: Decodable {
      let level: Int
    }
    let tags: [String: String]
    let archive: Archive
  }

  private struct Listed: Decodable {
    struct Archive: Decodable {}
    let archives: [Archive]
  }

  @Test func `a variable that no option has is told with the nearest`() async throws {
    try await withTemporaryDirectory { home in
      var tool = BackupTool(options: [], home: home)
      // The variables of a command of ours that calls this program, and of another command's options.
      tool.environment["RAIBID_BACKUP_KEY_COUNT"] = "1"
      tool.environment["RAIBID_BACKUP_TAG"] = "a=b"
      tool.environment["RAIBID_BACKUP_YES"] = "1"
      let usual = try await tool("list")
      #expect(usual.error.hasPrefix("no archives"))
      for (name, nearest) in [
        ("NO_PROGRESS", "PROGRESS"), ("NO_NICE", "NICE"), ("NO_TLS", "TLS"), ("NO_PRUNE", "PRUNE"),
        ("KEEP_DAYLY", "KEEP_DAILY"),
      ] {
        var tool = tool
        tool.environment["RAIBID_BACKUP_\(name)"] = "1"
        let told = try await tool("list")
        #expect(told.status == 0 && told.output == usual.output)
        #expect(
          told.error
            == "raibid-backup: warning: there is no option for RAIBID_BACKUP_\(name); did you mean "
            + "RAIBID_BACKUP_\(nearest)?\n" + usual.error)
      }
    }
  }

  @Test func `a password in a variable is told where it belongs, and is not repeated`() async throws
  {
    try await withTemporaryDirectory { home in
      var tool = BackupTool(options: [], home: home)
      tool.environment["RAIBID_BACKUP_PASSWORD"] = "s3cret"
      let told = try await tool("list")
      #expect(
        told.error.hasPrefix(
          "raibid-backup: warning: there is no option for RAIBID_BACKUP_PASSWORD; a password is given "
            + "in a file that RAIBID_BACKUP_PASSWORD_FILE names, or in REDISCLI_AUTH\n"), "\(told)")
      #expect(!told.description.contains("s3cret"))
    }
  }

  @Test(arguments: ["false", "0"])
  func `a variable that switches no protection off may be there`(value: String) async throws {
    var tool = BackupTool(options: ["--directory", "/a"], home: "/")
    tool.environment["RAIBID_BACKUP_FORCE"] = value
    let printed = try await tool("schedule", "cron")
    #expect(printed.status == 0 && printed.error.isEmpty, "\(printed)")
    #expect(!printed.output.contains("--force"))
    tool.environment["RAIBID_BACKUP_FORCE"] = "true"
    #expect(try await tool("schedule", "cron").status == 78)
  }

  @Test func `a file that is named must be there`() async throws {
    try await withTemporaryDirectory { home in
      var tool = BackupTool(options: [], home: home)
      try await Complaint(
        status: 78, kind: "config",
        message: "cannot read the settings in /none.json: there is no such file",
        hint: "ls -l /none.json"
      ).expect(of: tool, "list", "--config", "/none.json")
      tool.environment["RAIBID_BACKUP_CONFIG"] = "/none.json"
      #expect(try await tool("list").status == 78)
    }
  }

  @Test func `config show tells where each value comes from, and no secret`() async throws {
    try await withTemporaryDirectory { home in
      try writeSettings(
        """
        {"namespace": "jobs",
         "create": {"level": 9, "on_success": "/bin/tell s3cret", "on_failure": "P=s3cret x",
                    "heartbeat_url": "https://me:s3cret@a.example/s3cret"},
         "restore": {"restart_command": "redis-cli -a s3cret"}}
        """, home)
      try Data(#"{"password": "s3cret", "namespace": "other", "host": "redis"}"#.utf8)
        .write(to: URL(filePath: home + "/.raibid/redis-credentials.json"))
      var tool = BackupTool(options: [], home: home)
      tool.environment["RAIBID_BACKUP_POD"] = "redis-0"
      let shown = try await tool("config", "show")
      #expect(shown.status == 0 && shown.error == "", "\(shown)")
      #expect(!shown.output.contains("s3cret"))
      let lines = shown.output.split(separator: "\n").map {
        $0.split(separator: " ").map(String.init)
      }
      for line in [
        ["namespace", "jobs", home + "/.raibid/backup.json"],
        ["pod", "redis-0", "RAIBID_BACKUP_POD"],
        ["host", "127.0.0.1", "default"],
        ["create.level", "9", home + "/.raibid/backup.json"],
        ["restore.restart_command", "redis-cli", "…", home + "/.raibid/backup.json"],
        ["create.on_success", "/bin/tell", "…", home + "/.raibid/backup.json"],
        ["create.on_failure", "…", home + "/.raibid/backup.json"],
        ["create.heartbeat_url", "https://a.example/…", home + "/.raibid/backup.json"],
        ["password", "(hidden)", home + "/.raibid/redis-credentials.json"],
        ["create.nice", "true", "default"],
        ["wait", "end", "with", "75", "default"],
      ] {
        #expect(lines.contains(line), "\(line)\n\(shown)")
      }
      #expect(Set(lines.map(\.first)).count == lines.count)
      tool.environment["RAIBID_BACKUP_TARGET"] = "local"
      tool.environment["REDISCLI_AUTH"] = "s3cret"
      let local = try await tool("config", "show", "--json")
      #expect(!local.output.contains("s3cret"))
      let document = try local.json(Shown.self)
      #expect(document.file == home + "/.raibid/backup.json")
      for setting in [
        Shown.Setting(
          name: "host", value: "redis", from: "credentials",
          place: home + "/.raibid/redis-credentials.json"),
        Shown.Setting(name: "port", value: "6379", from: "default", place: nil),
        Shown.Setting(
          name: "password", value: "(hidden)", from: "variable", place: "REDISCLI_AUTH"),
      ] {
        #expect(document.settings.contains(setting), "\(setting)")
      }
    }
  }

  private struct Shown: Decodable {
    struct Setting: Decodable, Equatable {
      let name: String
      let value: String?
      let from: String
      let place: String?
    }
    let file: String?
    let settings: [Setting]
  }

  @Test func `the schema that is published is that of the options`() async throws {
    let tool = BackupTool(options: [], home: "/")
    let published = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "docs/config.schema.json"), encoding: .utf8)
    #expect(
      try await tool("config", "schema").output == published,
      "make it anew: raibid-backup config schema >docs/config.schema.json")
  }

  @Test func `what a file switches on can be switched off where one types`() async throws {
    for command in try CommandTable().commands {
      for option in command.options where option.kind == .flag {
        #expect(option.isInvertible || option.mustBeTyped, "\(command.words) \(option.name)")
      }
    }
    try await withTemporaryDirectory { home in
      try writeSettings(
        #"{"json": true, "quiet": true, "tls": true, "create": {"prune": true}}"#, home)
      let tool = BackupTool(options: ["--directory", home + "/a"], home: home)
      #expect(try await tool("list").output.hasPrefix("{"))
      #expect(try await tool("list", "--no-json").output.isEmpty)
      // What is typed is nearer than its contrary in the file.
      #expect(try await tool("list", "--verbose", "--no-json").status == 0)
      #expect(try await tool("list", "--verbose", "--quiet").status == 64)
      let failed = try await tool("verify", "--no-json")
      #expect(failed.status == 66 && failed.output.isEmpty, "\(failed)")
      let scheduled = try await BackupTool(options: [], home: home)(
        "schedule", "kubernetes", "--no-prune", "--no-tls")
      #expect(scheduled.status == 0, "\(scheduled)")
      #expect(!scheduled.output.contains("TLS"), "\(scheduled)")
    }
  }

  @Test func `every option of every command can be set in a file and in the environment`() throws {
    let table = try CommandTable()
    #expect(table.commands.count >= 11)
    for command in table.commands {
      let section = try #require(command.sections.last)
      for option in command.options where option.name != "config" && !option.mustBeTyped {
        #expect(table.options(inSection: section).contains(option))
      }
    }
    let shared = table.sharedOptions.map(\.name)
    #expect(Set(["namespace", "directory", "json", "keep-daily", "tls-key"]).isSubset(of: shared))
    #expect(Set(["yes", "restart-command", "prune", "at"]).isDisjoint(with: shared))
    let create = try #require(table.commands.first { $0.words == ["create"] })
    let kinds = ["level": CommandOption.Kind.number, "tag": .list, "nice": .flag, "wait": .text]
    for (name, kind) in kinds {
      #expect(create.options.first { $0.name == name }?.kind == kind)
    }
  }

  @Test func `the nearest name begins with the word or takes the fewest changes`() {
    #expect(Spelling.distance("", "abc") == 3 && Spelling.distance("abc", "") == 3)
    #expect(Spelling.distance("kitten", "sitting") == 3)
    #expect(Spelling.nearest(to: "prot", among: ["host", "port", "pod"]) == "port")
    #expect(Spelling.nearest(to: "keep", among: ["help", "keep_daily"]) == "keep_daily")
    #expect(Spelling.nearest(to: "a", among: []) == nil)
  }
}
