import TestSupport
import Testing

@testable import BackupCLI

@Suite struct TypedOptionsTests {
  @Test(arguments: [
    [], ["latest"], ["--tls", "--password-file", "x"], ["--directory=/a", "--no-progress"],
    ["--tag", "a=b", "-", "--", "--force"],
  ])
  func `long names are found without the options of the command`(words: [String]) throws {
    let options = try CommandOption.all(of: Create.self)
    let found = try #require(TypedOptions(longNamesIn: words)).names
    #expect(
      found.intersection(options.map(\.name)) == TypedOptions(words[...], of: options).names)
  }

  @Test(arguments: [["-q"], ["--tls", "-n", "x"], ["-qv"]])
  func `short names need the options of the command`(words: [String]) {
    #expect(TypedOptions(longNamesIn: words)?.names == nil)
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
        let file = try writeSettings(text, home)
        try await Complaint(
          status: 78, kind: "config",
          message: "cannot use \(place) in \(file): --\(typed.option) counts only when it is "
            + "typed",
          hint: "jq 'del(.\(place))' \(file)   # prints the file without it"
        ).expect(of: BackupTool(options: [], home: home), "list")
      }
      try writeSettings("{}", home)
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
}
