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
      try write(#"{"$schema": "x", "directory": "~/shared", "create": {"directory": "/no"}}"#, home)
      #expect(try await isSearched(home + "/shared"))
      try write(#"{"directory": "/shared", "list": {"directory": "/own"}}"#, home)
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
        try write(
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

  private static let bad: [(text: String, message: String, hint: String)] = [
    (
      #"{"keep_dayly": 3}"#,
      #"cannot use keep_dayly in FILE: there is no such setting; did you mean "keep_daily"?"#, names
    ),
    (
      #"{"keep-daily": 3}"#,
      #"cannot use keep-daily in FILE: there is no such setting; did you mean "keep_daily"?"#, names
    ),
    (
      #"{"create": {"tags": ["a=b"]}}"#,
      #"cannot use create.tags in FILE: there is no such setting; did you mean "tag"?"#, names
    ),
    (
      #"{"creat": {}}"#,
      #"cannot use creat in FILE: there is no such setting; did you mean "create"?"#, names
    ),
    (
      #"{"keep_old": true}"#,
      "cannot use keep_old in FILE: it belongs into the section of its command, "
        + #"{"restore": {"keep_old": …}}"#, names
    ),
    (#"{"port": "1"}"#, "cannot read the settings in FILE: port is not a number", types),
    (#"{"port": 1.5}"#, "cannot read the settings in FILE: port is not a number", types),
    (#"{"host": 1}"#, "cannot read the settings in FILE: host is not a string", types),
    (#"{"tls": "yes"}"#, "cannot read the settings in FILE: tls is not true or false", types),
    (#"{"tls": null}"#, "cannot read the settings in FILE: tls is not true or false", types),
    (
      #"{"prune": {"keep_tag": ["a", 1]}}"#,
      "cannot read the settings in FILE: prune.keep_tag is not an array of strings", types
    ),
    (#"{"create": true}"#, "cannot read the settings in FILE: create is not an object", types),
    (
      #"{"target": "docker"}"#,
      #"cannot read the settings in FILE: target is "docker", not one of kubernetes, local"#, types
    ),
    (
      #"{"port": 70000}"#, "cannot use port in FILE: 70000 is not from 1 to 65535",
      "raibid-backup config show"
    ),
    (
      #"{"list": {"connect_timeout": "5"}}"#,
      "cannot use list.connect_timeout in FILE: the value '5' is invalid for "
        + #"'--connect-timeout <span>': "5" is not a number and one of s m h d w, such as 90s"#,
      "raibid-backup config show"
    ),
    (
      #"{"keep_daily": 3, "directory": "/a", "keep_daily": 14}"#,
      "cannot use keep_daily in FILE: it is there twice", #"grep -n '"keep_daily"' FILE"#
    ),
    (
      #"{"create": {"tag": ["a=b"], "level": 1, "l\u0065vel": 2}}"#,
      "cannot use create.level in FILE: it is there twice", #"grep -n '"level"' FILE"#
    ),
    (
      #"{"create": {"level": 1}, "create": {"prune": true}}"#,
      "cannot use create in FILE: it is there twice", #"grep -n '"create"' FILE"#
    ),
    (
      #"{"create": {"password": "a"}}"#,
      "cannot use create.password in FILE: there is no such setting; a password is given in a file "
        + "that password_file names, or in REDISCLI_AUTH", names
    ),
    ("[]", "cannot read the settings in FILE: it is not an object", syntax),
    ("{", "cannot read the settings in FILE: it is not JSON", syntax),
  ]
  private static let names = "raibid-backup config schema   # has all names"
  private static let types = "jq 'map_values(type)' FILE"
  private static let syntax = "python3 -m json.tool FILE /dev/null"

  @Test(arguments: bad)
  private func `a setting that means nothing is told with its place`(
    _ bad: (text: String, message: String, hint: String)
  ) async throws {
    try await withTemporaryDirectory { home in
      let file = try write(bad.text, home)
      let tool = BackupTool(options: [], home: home)
      try await Complaint(
        status: 78, kind: "config", message: bad.message.replacing("FILE", with: file),
        hint: bad.hint.replacing("FILE", with: file)
      ).expect(of: tool, "list")
      // Who has to mend the file must be able to read about it.
      #expect(try await tool("list", "--help").status == 0)
      #expect(try await tool("config", "schema").status == 0)
    }
  }

  @Test func `a name counts once in each object, and what stands in values does not count`() {
    let once = #"""
      {"tls": true, "create": {"tls": true, "tag": ["tls", "tls=\"tls\"", "{\"tls\": 1"]}, "list": {"tls": true},
       "host": "tls", "user": "tls"}
      """#
    #expect(RepeatedName.first(in: Array(once.utf8)) == nil)
    for (document, place) in [
      (#"{"a": {"b": [{"c": "\\", "d": {}, "c": 2}]}}"#, "a.b.c"), (#"{"": 1, "": 1}"#, ""),
      (#"[1, {"a": 1, "a": 2}]"#, "a"),
    ] {
      #expect(RepeatedName.first(in: Array(document.utf8)) == place)
    }
    // Cut anywhere, it is no document, and no trap.
    for count in 0..<once.utf8.count {
      #expect(RepeatedName.first(in: Array(once.utf8.prefix(count))) == nil)
    }
  }

  @Test func `a file that others can write to is refused, and one that they can read is not`()
    async throws
  {
    try await withTemporaryDirectory { home in
      let file = try write("{}", home)
      let tool = BackupTool(options: [], home: home)
      func list(mode: Int, _ arguments: [String] = []) async throws -> BackupTool.Outcome {
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: file)
        return try await tool.run(["list"] + arguments)
      }
      for mode in [0o662, 0o606, 0o777] {
        for arguments in [[], ["--config", file]] {
          let refused = try await list(mode: mode, arguments)
          #expect(refused.status == 78, "\(arguments)")
          #expect(
            refused.error
              == "raibid-backup: cannot use the settings in \(file): others can write to it (mode "
              + "\(String(mode, radix: 8))), and it may name commands to run\n"
              + "hint: chmod go-w \(file)   # where that changes nothing, use another file system\n"
          )
        }
      }
      // What a umask of 002 makes: nobody else is in the group.
      #expect(try await list(mode: 0o664).status == 0)
      #expect(try await list(mode: 0o644).status == 0)
      #expect(try await list(mode: 0o400).status == 0)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root can write a file of another user"))
  func `a file of another user or another group is not taken for one's own`() async throws {
    try await withTemporaryDirectory { home in
      let file = try write("{}", home)
      let root = BackupTool(options: ["--config", file], home: home)
      func list(_ tool: BackupTool, user: Int, group: Int, mode: Int) async throws -> String {
        try FileManager.default.setAttributes(
          [.ownerAccountID: user, .groupOwnerAccountID: group, .posixPermissions: mode],
          ofItemAtPath: file)
        return try await tool("list").error
      }
      let shared = try await list(root, user: 0, group: 65534, mode: 0o664)
      #expect(shared.contains("others can write to it (mode 664)"), "\(shared)")
      #expect(try await list(root, user: 0, group: 65534, mode: 0o644).hasPrefix("no archives"))
      let others = try await list(root, user: 65534, group: 0, mode: 0o600)
      #expect(
        others
          == "raibid-backup: cannot use the settings in \(file): it belongs to another user (65534), "
          + "and it may name commands to run\n"
          + "hint: install -m 600 \(file) FILE   # a copy of your own, for --config FILE\n")
      for directory in [home, home + "/.raibid"] {
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: directory)
      }
      #expect(
        try await list(root.asNobody, user: 0, group: 0, mode: 0o644).hasPrefix("no archives"))
      #expect(
        try await list(root.asNobody, user: 65534, group: 65534, mode: 0o660)
          .hasPrefix("no archives"))
      #expect(
        try await list(root.asNobody, user: 1, group: 65534, mode: 0o644).contains("user (1)"))
    }
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
      try write(
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

  private static let typed: [(words: [String], option: String, value: String)] = [
    (["restore", "x"], "yes", "true"), (["restore", "x"], "dry-run", "false"),
    (["restore"], "resume", "true"), (["restore"], "rollback", "true"),
    (["restore", "x"], "from-other-source", "true"),
    (["restore", "x"], "no-safety-backup", "true"), (["restore", "x"], "replace", "true"),
    (["restore", "x"], "key", #"["a"]"#), (["restore", "x"], "match", #"["*"]"#),
    (["restore", "x"], "database", "1"), (["restore", "x"], "ttl", #""drop""#),
    (["create"], "force", "true"), (["prune"], "dry-run", "true"), (["verify"], "all", "true"),
    (["verify"], "quick", "true"), (["inspect", "x"], "keys", "true"),
    (["schedule", "systemd"], "unit", #""timer""#),
  ]

  @Test(arguments: typed)
  private func `what lets a run past a protection counts only when it is typed`(
    _ typed: (words: [String], option: String, value: String)
  ) async throws {
    try await withTemporaryDirectory { home in
      let key = typed.option.replacing("-", with: "_")
      for (place, text) in [
        (key, #"{"\#(key)": \#(typed.value)}"#),
        (
          "\(typed.words[0]).\(key)",
          #"{"\#(typed.words[0])": {"\#(key)": \#(typed.value)}}"#
        ),
      ] {
        let file = try write(text, home)
        try await Complaint(
          status: 78, kind: "config",
          message: "cannot use \(place) in \(file): --\(typed.option) counts only when it is "
            + "typed",
          hint: "jq 'del(.\(place))' \(file)   # prints the file without it"
        ).expect(of: BackupTool(options: [], home: home), "list")
      }
      try write("{}", home)
      var tool = BackupTool(options: [], home: home)
      let variable = "RAIBID_BACKUP_" + key.uppercased()
      tool.environment[variable] = "1"
      let refused = try await tool.run(typed.words)
      #expect(refused.status == 78)
      #expect(
        refused.error
          == "raibid-backup: cannot use \(variable): --\(typed.option) counts only when it is typed\n"
          + "hint: unset \(variable)\n")
      // A command that has no such option is not concerned.
      #expect(try await tool("list").status == 0)
      #expect(!(try await tool("config", "schema").output.contains("\"\(key)\"")))
    }
  }

  @Test func `what a file switches on can be switched off where one types`() async throws {
    for command in try CommandTable().commands {
      for option in command.options where option.kind == .flag {
        #expect(option.isInvertible || option.mustBeTyped, "\(command.words) \(option.name)")
      }
    }
    try await withTemporaryDirectory { home in
      try write(
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

  @Test func `what is typed is found in all its forms`() throws {
    let options = try CommandOption.all(of: Create.self)
    let words = [
      "-n", "--pod", "-qv", "-c=x", "--no-nice", "--tag=a=b", "--config", "/file", "--wait", "--",
      "--force",
    ]
    let typed = TypedOptions(words[...], of: options)
    #expect(
      typed.names
        == ["namespace", "pod", "quiet", "verbose", "container", "nice", "tag", "config", "wait"])
    #expect(typed.value(of: "config") == "/file")
    #expect(typed.value(of: "tag") == "a=b")
    #expect(typed.value(of: "container") == "x")
    #expect(typed.value(of: "wait") == nil)
  }

  @Test func `the nearest name begins with the word or takes the fewest changes`() {
    #expect(Spelling.distance("", "abc") == 3 && Spelling.distance("abc", "") == 3)
    #expect(Spelling.distance("kitten", "sitting") == 3)
    #expect(Spelling.nearest(to: "prot", among: ["host", "port", "pod"]) == "port")
    #expect(Spelling.nearest(to: "keep", among: ["help", "keep_daily"]) == "keep_daily")
    #expect(Spelling.nearest(to: "a", among: []) == nil)
  }

  /// Writes the file with settings of a user.
  @discardableResult
  private func write(_ text: String, _ home: String) throws -> String {
    try FileManager.default.createDirectory(
      atPath: home + "/.raibid", withIntermediateDirectories: true)
    let path = home + "/.raibid/backup.json"
    try Data(text.utf8).write(to: URL(filePath: path))
    // Whatever the umask of these tests is.
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
    return path
  }
}
