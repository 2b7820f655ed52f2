import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import BackupCLI

/// Files with settings that cannot be used.
@Suite struct ConfigFileTests {
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
      let file = try writeSettings(bad.text, home)
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
      let file = try writeSettings("{}", home)
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
      let file = try writeSettings("{}", home)
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
}
