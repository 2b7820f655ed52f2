import FoundationEssentials
import TestSupport
import Testing

@Suite struct CommandLineTests {
  private struct Case: CustomTestStringConvertible {
    let arguments: [String]
    let fact: String
    var testDescription: String { arguments.joined(separator: " ") }

    init(_ arguments: String..., fact: String) {
      self.arguments = arguments
      self.fact = fact
    }
  }

  private static let cases = [
    Case("create", "--levle", "3", fact: "unknown option '--levle'. Did you mean '--level'?"),
    Case("create", "--password", "s3cret", fact: "unknown option '--password'"),
    Case("create", "--level", "10", fact: "--level: 10 is not from 0 to 9"),
    Case("create", "--port", "99999", fact: "--port: 99999 is not from 1 to 65535"),
    Case(
      "create", "--stall-timeout", "5",
      fact:
        "the value '5' is invalid for '--stall-timeout <span>': \"5\" is not a number and one of "
        + "s m h d w, such as 90s"),
    Case(
      "create", "--limit-rate", "10MB",
      fact:
        "the value '10MB' is invalid for '--limit-rate <bytes>': \"10MB\" is not a number of bytes, "
        + "alone or with K, M or G"),
    Case(
      "create", "--limit-rate", "0",
      fact:
        "the value '0' is invalid for '--limit-rate <bytes>': \"0\" is not a number of bytes, alone "
        + "or with K, M or G"),
    Case("create", "--pod", "", fact: "--pod: it is empty"),
    Case("create", "--pod", "statefulset/", fact: "--pod: it is empty"),
    Case("create", "--host", "", fact: "--host: it is empty"),
    Case("create", "--tag", "x", fact: "--tag: \"x\" is not KEY=VALUE"),
    Case(
      "create", "--tag", "pre-restore=x",
      fact: "--tag: \"pre-restore\" is kept for the backups that a restore takes"),
    Case("create", "--cacert", "x", fact: "--cacert, --cert, --key and --sni go with --tls"),
    Case("create", "--quiet", "--verbose", fact: "--quiet and --verbose exclude each other"),
    Case("create", "--keep-last", "2", fact: "the --keep options go with --prune"),
    Case("prune", "--keep-daily=-1", fact: "--keep-daily: -1 is not from 0 to 1000000"),
    Case("prune", "--keep-tag", "=x", fact: "--keep-tag: it is not KEY or KEY=VALUE"),
    Case(
      "prune", "--wait=5",
      fact: "--wait: \"5\" is not a number and one of s m h d w, such as 90s"),
    Case("status", "--shrink-limit", "101", fact: "--shrink-limit: 101 is not from 0 to 100"),
    Case("verify", "--all", "x", fact: "--all goes without ARCHIVE"),
    Case("restore", fact: "which archive? a path, a name, or \"latest\""),
    Case("restore", "--resume", "--rollback", fact: "--resume and --rollback exclude each other"),
    Case(
      "restore", "x", "--resume",
      fact: "--resume and --rollback go without ARCHIVE: the journal names it"),
    Case(
      "restore", "x", "--replace", fact: "--database, --replace and --ttl go with --key or --match"),
    Case(
      "restore", "--resume", "--key", "k",
      fact: "--key and --match go without --resume, --rollback, --keep-old and --pending"),
    Case(
      "restore", "x", "--tls", "--cert", "c", "--key", "k",
      fact: "--key names a key of Redis here: give --cert its key by --tls-key"),
    Case(
      "restore", "x", "--key", "k", "--ttl", "later",
      fact:
        "the value 'later' is invalid for '--ttl <ttl>'. Please provide one of 'keep', 'extend' or "
        + "'drop'"),
  ]

  @Test(arguments: cases)
  private func `a command line that means nothing is told why`(_ bad: Case) async throws {
    try await withTemporaryDirectory { home in
      let tool = BackupTool(options: [], home: home)
      let outcome = try await tool.run(bad.arguments)
      #expect(outcome.status == 64)
      #expect(outcome.output == "")
      #expect(
        outcome.error
          == "raibid-backup: cannot read the command line: \(bad.fact)\n"
          + "hint: raibid-backup help \(bad.arguments[0])\n")
      let json = try await tool.run(bad.arguments + ["--json"])
      #expect(json.status == 64)
      #expect(json.output.hasPrefix("{\n  \"error\" : {"))
      #expect(!json.description.contains("s3cret"))
      #expect(try names(in: home) == [])
    }
  }

  @Test func `a command that is missing or unknown is no success`() async throws {
    try await withTemporaryDirectory { home in
      let tool = BackupTool(options: [], home: home)
      let none = try await tool()
      #expect(none.status == 64)
      #expect(
        none.error
          == "raibid-backup: cannot read the command line: no command is given\n"
          + "hint: raibid-backup --help\n")
      let unknown = try await tool("backup")
      #expect(unknown.status == 64)
      #expect(
        unknown.error
          == "raibid-backup: cannot read the command line: unexpected argument 'backup'\n"
          + "hint: raibid-backup --help\n")
      let nested = try await tool("schedule", "cron", "--at")
      #expect(nested.status == 64)
      #expect(nested.error.hasSuffix("hint: raibid-backup help schedule cron\n"))
      for arguments in [["--help"], ["help", "create"], ["restore", "--help"], ["--version"]] {
        let help = try await tool.run(arguments)
        #expect(help.status == 0 && help.error == "" && !help.output.isEmpty)
        #expect(help.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
      }
    }
  }

  @Test(arguments: [
    ["create"], ["restore"], ["schedule"], ["schedule", "cron"], ["schedule", "systemd"],
    ["schedule", "kubernetes"], ["config", "show"],
  ])
  func `the help of a command says how to call it`(command: [String]) async throws {
    try await withTemporaryDirectory { home in
      let help = try await BackupTool(options: [], home: home).run(command + ["--help"])
      #expect(help.output.contains("\nUSAGE: raibid-backup \(command.joined(separator: " ")) "))
    }
  }

  @Test func `variables are checked like options`() async throws {
    try await withTemporaryDirectory { home in
      for (name, value, fact) in [
        ("PORT", "0", "0 is not from 1 to 65535"),
        (
          "TARGET", "docker",
          "the value 'docker' is invalid for '--target <target>'. Please provide one of "
            + "'kubernetes' and 'local'"
        ),
        (
          "STALL_TIMEOUT", "5",
          "the value '5' is invalid for '--stall-timeout <span>': \"5\" is not a number and one of "
            + "s m h d w, such as 90s"
        ),
        ("TLS", "maybe", "\"maybe\" is not true or false"),
        ("KEEP_DAILY", "-1", "-1 is not from 0 to 1000000"),
      ] {
        var tool = BackupTool(options: [], home: home)
        tool.environment["RAIBID_BACKUP_TARGET"] = "local"
        tool.environment["RAIBID_BACKUP_" + name] = value
        try await Complaint(
          status: 64, kind: "usage",
          message: "cannot use RAIBID_BACKUP_\(name): \(fact)",
          hint: "printenv RAIBID_BACKUP_\(name)"
        ).expect(of: tool, "create")
      }
      #expect(try names(in: home) == [])
    }
  }

  @Test func `a restore that nobody can be asked about, or undo, touches nothing`() async throws {
    try await withRealServer(.primary, configuration: ["appendonly yes"]) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        let before = try await Queue.picture(server)
        let files = try names(in: archives)

        try await Complaint(
          status: 64, kind: "usage",
          message: "cannot restore latest: nobody can be asked, since there is no terminal",
          hint: "AGAIN --yes"
        ).expect(of: tool, "restore", "latest")
        try await Complaint(
          status: 64, kind: "usage",
          message: "cannot restore: nothing says how this server is started again",
          hint: "AGAIN --restart-command 'systemctl restart redis-server'"
        ).expect(of: tool, "restore", "latest", "--yes")
        try await Complaint(
          status: 66, kind: "not_found",
          message: "cannot take up a restore: the server has no unfinished one",
          hint: "raibid-backup restore latest --dry-run --target local --port \(server.port) "
            + "--directory \(archives)"
        ).expect(of: tool, "restore", "--resume", "--yes", "--restart-command", "true")
        try await Complaint(
          status: 66, kind: "not_found",
          message:
            "cannot find redis-dump-20200101T000000Z: there is no such archive and no such file",
          hint: "raibid-backup list --directory \(archives)"
        ).expect(
          of: tool, "restore", "redis-dump-20200101T000000Z", "--yes", "--restart-command", "true")
        #expect(try await Queue.picture(server) == before)
        #expect(try names(in: archives) == files)
      }
    }
  }

  @Test func `without an archive there is no latest one`() async throws {
    try await withTemporaryDirectory { archives in
      let tool = BackupTool(options: ["--directory", archives], home: archives)
      for arguments in [["verify"], ["verify", "--all"]] {
        let outcome = try await tool.run(arguments)
        #expect(outcome.status == 66)
        #expect(
          outcome.error
            == "raibid-backup: cannot find the latest archive: there is no verified one in \(archives)\n"
            + "hint: raibid-backup list --directory \(archives)\n")
      }
      let list = try await tool("list")
      #expect(list.status == 0 && list.output == "")
      #expect(list.error == "no archives in \(archives)\n")
      #expect(try names(in: archives) == [])
    }
  }
}
