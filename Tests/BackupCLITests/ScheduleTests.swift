import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite struct ScheduleTests {
  @Test
  func `the line for a crontab makes a backup with nothing but what it says`() async throws {
    try await withRealServer(.primary, password: "p%w") { server in
      try await withTemporaryDirectory { place in
        try await server.cli("SET", "a", "1")
        let archives = place + "/all of it"
        let password = place + "/password"
        try Data((server.password ?? "").utf8).write(to: URL(filePath: password))
        var tool = BackupTool(
          options: [
            "--target", "local", "--port=\(server.port)", "--password-file", password,
            "--directory", archives, "--tag", "note=50% of $HOME isn't", "--tag", #"path=a\%b\\c\"#,
          ], home: place)
        let printed = try await tool("schedule", "cron", "--at", "23:05")
        #expect(printed.status == 0 && printed.error.isEmpty)
        let lines = printed.output.split(separator: "\n").map(String.init)
        let line = try #require(lines.last)
        #expect(lines.dropLast() == ["PATH=/usr/local/bin:/usr/bin:/bin"])
        #expect(line.hasPrefix("5 23 * * * \(try BackupTool.path) create "))

        let command = Self.command(inLine: line.dropFirst("5 23 * * * ".count))
        let run = try await Subprocess.run(
          .path("/bin/sh"), arguments: ["-c", command],
          environment: .custom(["HOME": place, "PATH": "/usr/bin:/bin"]),
          output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
        #expect(run.terminationStatus.isSuccess)
        #expect(run.standardOutput == "" && run.standardError == "")
        tool.options = []
        let listed = try await tool("list", "--directory", archives, "--json")
          .json(Listed.self)
        #expect(
          listed.archives.map(\.tags) == [["note": "50% of $HOME isn't", "path": #"a\%b\\c\"#]])
      }
    }
  }

  /// What cron makes of the rest of a line: a percent sign ends it, of a backslash before one or before another
  /// only what follows is left.
  private static func command(inLine line: Substring) -> String {
    var command = ""
    var isEscaped = false
    for character in line {
      if isEscaped, "%\\".contains(character) {
        command.removeLast()
      } else if character == "%" {
        break
      }
      command.append(character)
      isEscaped = character == "\\" && !isEscaped
    }
    return command
  }

  private struct Listed: Decodable {
    struct Archive: Decodable {
      let tags: [String: String]
    }

    let archives: [Archive]
  }

  @Test
  func `paths are absolute, and what the environment says goes with the line`() async throws {
    try await withTemporaryDirectory { home in
      var tool = BackupTool(options: [], home: home)
      tool.environment["KUBECONFIG"] = "clusters/one:/two"
      tool.environment["RAIBID_BACKUP_CACERT"] = "ca.pem"
      tool.environment["SSL_CERT_FILE"] = "monitor.pem"
      tool.environment["REDISCLI_AUTH"] = "s3cret"
      tool.environment["RAIBID_BACKUP_ON_FAILURE"] = "mail -p s3cret"
      tool.environment["RAIBID_BACKUP_HEARTBEAT_URL"] = "https://a.example/s3cret"
      tool.environment["RAIBID_BACKUP_PASSWORD"] = "s3cret"
      tool.environment["RAIBID_BACKUP_TYPO"] = "x"
      let here = FileManager.default.currentDirectoryPath
      let printed = try await tool("schedule", "cron", "--directory=archives", "-n", "jobs")
      #expect(printed.status == 0)
      #expect(printed.output.contains("\nKUBECONFIG=\(here)/clusters/one:/two\n"))
      #expect(printed.output.contains("\nRAIBID_BACKUP_CACERT=\(here)/ca.pem\n"))
      #expect(printed.output.contains("\nSSL_CERT_FILE=\(here)/monitor.pem\n"))
      #expect(printed.output.hasSuffix(" create --directory=\(here)/archives -n jobs\n"))
      #expect(!printed.output.contains("s3cret") && !printed.output.contains("TYPO"))
      let secrets = [("HEARTBEAT_URL", "heartbeat_url"), ("ON_FAILURE", "on_failure")].map {
        "warning: RAIBID_BACKUP_\($0) is left out, since it may hold a secret; "
          + "set \($1) in the file with settings\n"
      }.joined()
      let stray = [("PASSWORD", "a password is given"), ("TYPO", "did you")].map {
        "there is no option for RAIBID_BACKUP_\($0); \($1)"
      }
      #expect(stray.allSatisfy(printed.error.contains), "\(printed)")
      #expect(
        printed.error.hasSuffix(
          "\nwarning: REDISCLI_AUTH will not be set at night; name a file with --password-file\n"
            + secrets), "\(printed)")
      let typed = try await BackupTool(options: [], home: home)(
        "schedule", "cron", "--heartbeat-url", "https://a.example/b")
      #expect(typed.output.hasSuffix(" create --heartbeat-url https://a.example/b\n"))
      #expect(typed.error.hasSuffix("set heartbeat_url in the file with settings\n"), "\(typed)")
    }
  }

  @Test
  func `nothing can add a line to a schedule`() async throws {
    var tool = BackupTool(options: [], home: "/")
    for kind in ["cron", "systemd"] {
      tool.environment["RAIBID_BACKUP_TAG"] = nil
      #expect(try await tool("schedule", kind, "--tag", "a=b\n* * * * * id").status == 64)
      tool.environment["RAIBID_BACKUP_TAG"] = "a=b\n* * * * * id"
      let refused = try await tool("schedule", kind)
      #expect(refused.status == 64 && refused.output.isEmpty, "\(refused)")
      #expect(refused.error.contains("a line break cannot stand in a schedule"))
    }
  }

  @Test
  func `the nightly run may prune and write figures`() async throws {
    try await withTemporaryDirectory { home in
      let tool = BackupTool(
        options: ["--target", "local", "--directory", "/a", "--metrics-file", "/b c/x.prom"],
        home: home)
      let service = try await tool(
        "schedule", "systemd", "--unit", "service", "--prune", "--keep-daily", "14")
      #expect(service.output.contains("\nReadWritePaths=-/a \"-/b c\"\n"), "\(service)")
      #expect(service.output.contains(" create --prune --keep-daily 14 --target local "))
      #expect(try await tool("schedule", "cron", "--prune").status == 64)
    }
  }

  @Test(arguments: [
    ("/a", "/b/x.prom", true), ("/var/tmp/a", "/b/x.prom", false), ("/a", "/tmp/x.prom", false),
    ("/tmpfs/a", "/var/tmpx/x.prom", true),
  ])
  func `what is written under tmp does not go with the run`(
    directory: String, metrics: String, isPrivate: Bool
  ) async throws {
    let tool = BackupTool(
      options: ["--target", "local", "--directory", directory, "--metrics-file", metrics],
      home: "/")
    let service = try await tool("schedule", "systemd", "--unit", "service")
    #expect(service.output.contains("\nPrivateTmp=\(isPrivate ? "yes" : "no")\n"), "\(service)")
  }

  @Test
  func `a password file that is not there yet is a warning`() async throws {
    let tool = BackupTool(options: ["--password-file", "/none", "--directory", "/a"], home: "/")
    for kind in ["cron", "systemd"] {
      let printed = try await tool("schedule", kind)
      #expect(printed.status == 0)
      #expect(printed.output.contains(" --password-file /none --directory /a\n"))
      #expect(
        printed.error == "warning: cannot read the password in /none: there is no such file\n")
    }
  }

  @Test
  func `the file with settings holds for the units too`() async throws {
    try await withTemporaryDirectory { home in
      let file = home + "/shop.json"
      try Data(
        #"{"directory": "/shop", "create": {"metrics_file": "/m/x.prom"}, "schedule": {"at": "4:30"}}"#
          .utf8
      ).write(to: URL(filePath: file))
      let printed = try await BackupTool(options: ["--config", file], home: home)(
        "schedule", "systemd")
      #expect(printed.status == 0, "\(printed)")
      #expect(printed.output.contains(" create --config \(file)\n"))
      #expect(printed.output.contains("\nReadWritePaths=-/shop -/m\n"))
      #expect(printed.output.contains("\nOnCalendar=*-*-* 04:30:00\n"))
    }
  }

  @Test
  func `systemd accepts the units`() async throws {
    try await withTemporaryDirectory { place in
      let tool = BackupTool(
        options: [
          "--target", "local", "--directory", place + "/a b", "--tag", "note=50% $HOME \"x\" \\",
        ], home: place)
      for unit in ["service", "timer"] {
        let printed = try await tool("schedule", "systemd", "--at", "3:05", "--unit", unit)
        #expect(printed.status == 0)
        try Data(printed.output.utf8)
          .write(to: URL(filePath: "\(place)/raibid-backup.\(unit)"))
        let both = try await tool("schedule", "systemd", "--at", "3:05")
        #expect(both.output.contains(printed.output))
      }
      let service = try String(
        contentsOfFile: place + "/raibid-backup.service", encoding: .utf8)
      #expect(service.contains("--tag \"note=50%% $$HOME \\\"x\\\" \\\\\"\n"))
      guard FileManager.default.isExecutableFile(atPath: "/usr/bin/systemd-analyze") else {
        print("systemd-analyze is not here: the units are not verified")
        return
      }
      let verified = try await Subprocess.run(
        .path("/usr/bin/systemd-analyze"),
        arguments: [
          "verify", place + "/raibid-backup.service", place + "/raibid-backup.timer",
        ], output: .string(limit: 1 << 16), error: .string(limit: 1 << 16))
      #expect(verified.terminationStatus.isSuccess)
      #expect(verified.standardError == "")
    }
  }

  @Test
  func `the job in the cluster has the role for create, and its settings in the environment`()
    async throws
  {
    let tool = BackupTool(options: [], home: "/")
    let printed = try await tool(
      "schedule", "kubernetes", "--at", "3:05", "--keep-daily=14", "--prune", "--level", "9",
      "--user", "bob", "--tls", "--stall-timeout=5m", "--password-secret", "redis/pass")
    #expect(printed.status == 0, "\(printed)")
    let lines = printed.output.split(separator: "\n").map(String.init)
    let rules = lines.filter { $0.hasPrefix("- {apiGroups:") }
    let expected = try Roles().rules(of: "raibid-backup")
    #expect(rules.dropLast() == expected.dropLast())
    #expect(
      rules.last == expected.last?.replacing("[raibid-redis]", with: "[redis]"), "\(printed)")
    #expect(lines.contains("  schedule: \"5 3 * * *\""))
    let arguments = lines.drop { $0 != "            args:" }.dropFirst()
      .prefix { !$0.hasSuffix("env:") }.map { $0.drop { $0 == " " } }
    #expect(
      arguments == [
        "- create", "- \"--keep-daily=14\"", "- \"--prune\"", "- \"--level\"", "- \"9\"",
      ])
    for (name, value) in [
      ("NAMESPACE", "raibid-redis"), ("POD", "raibid-redis-master-0"), ("USER", "bob"),
      ("TLS", "\"1\""), ("STALL_TIMEOUT", "\"300s\""), ("DIRECTORY", "\"/archives\""),
      ("PASSWORD_SECRET", "redis/pass"),
    ] {
      #expect(
        printed.output.contains("- {name: RAIBID_BACKUP_\(name), value: \(value)}\n"),
        "\(name): \(printed)")
    }

    let selected = try await tool(
      "schedule", "kubernetes", "-n", "jobs", "-l", "a in (b, c)", "--host-path", "node-1:/a b")
    #expect(selected.output.contains("RAIBID_BACKUP_SELECTOR, value: \"a in (b, c)\"}\n"))
    #expect(selected.output.contains("resources: [pods], verbs: [get, list]}\n"))
    #expect(selected.output.contains("nodeSelector: {kubernetes.io/hostname: node-1}\n"))
    #expect(selected.output.contains("hostPath: {path: \"/a b\", type: Directory}\n"))
    #expect(!selected.output.contains("PersistentVolumeClaim"))
    #expect(!selected.output.contains("PASSWORD"))
  }

  @Test(arguments: [#""create": {"level": 1}"#, #""password_file": "/none""#])
  func `the job gets the Secret that is named, whatever password this host has`(
    setting: String
  ) async throws {
    try await withTemporaryDirectory { home in
      let file = home + "/settings.json"
      try Data(#"{"password_secret": "redis/pass", \#(setting)}"#.utf8)
        .write(to: URL(filePath: file))
      var tool = BackupTool(options: ["--config", file], home: home)
      if !setting.contains("password") { tool.environment["REDISCLI_AUTH"] = "x" }
      let printed = try await tool("schedule", "kubernetes")
      #expect(printed.status == 0 && printed.error.isEmpty, "\(printed)")
      #expect(printed.output.contains("[secrets], resourceNames: [redis], verbs: [get]}\n"))
      #expect(
        printed.output.contains("- {name: RAIBID_BACKUP_PASSWORD_SECRET, value: redis/pass}\n"),
        "\(printed)")
    }
  }

  @Test func `a cluster that was not there when the job began is tried again`() async throws {
    let printed = try await BackupTool(options: [], home: "/")("schedule", "kubernetes")
    #expect(printed.output.contains("      backoffLimit: 2\n"), "\(printed)")
  }

  @Test(.enabled(if: geteuid() == 0, "only root can write a file of another user"))
  func `the units of another user's settings come with a warning`() async throws {
    try await withTemporaryDirectory { home in
      let file = home + "/settings.json"
      try Data("{}".utf8).write(to: URL(filePath: file))
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: home)
      let words = ["schedule", "systemd", "--config", file, "--directory", "/a"]
      let tool = BackupTool(options: [], home: "/").asNobody
      #expect(try await tool.run(words).error == "")
      try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: file)
      let printed = try await tool.run(words)
      #expect(
        printed.error
          == "warning: the service runs as root, which does not use another user's \(file); "
          + "chown root \(file)\n", "\(printed)")
    }
  }

  @Test func `certificates and the monitor's URL come from objects of the cluster`() async throws {
    try await withTemporaryDirectory { home in
      let file = home + "/settings.json"
      try Data(
        #"""
        {"create": {"on_success": "rclone", "hook_timeout": "1m", "metrics_file": "/x",
         "heartbeat_url": "https://a.example/s3cret?a=$(HOME)"}}
        """#.utf8
      ).write(to: URL(filePath: file))
      let printed = try await BackupTool(options: [], home: home)(
        "schedule", "kubernetes", "--config", file, "--tls", "--cacert", "configmap/ca/ca.crt",
        "--cert=secret/redis-crt/tls.crt", "--key", "secret/redis-crt/tls.key")
      #expect(printed.status == 0, "\(printed)")
      #expect(
        printed.error == """
          warning: create.on_success in \(file) is left out: the image has no programs for it
          warning: create.heartbeat_url in \(file) is a secret, and stands in what is printed
          warning: create.metrics_file in \(file) is left out: it is a file of this host

          """)
      for text in [
        "stringData: {heartbeat-url: \"https://a.example/s3cret?a=$(HOME)\"}\n",
        "- {name: RAIBID_BACKUP_HEARTBEAT_URL, valueFrom: {secretKeyRef: "
          + "{name: raibid-backup, key: heartbeat-url}}}\n",
        "- {name: RAIBID_BACKUP_CACERT, value: \"/run/secrets/cacert/cacert\"}\n",
        "- {name: RAIBID_BACKUP_TLS_KEY, value: \"/run/secrets/tls-key/tls-key\"}\n",
        "name: ca\n", "secretName: redis-crt\n", "items: [{key: tls.crt, path: cert}]\n",
      ] {
        #expect(printed.output.contains(text), "\(text): \(printed)")
      }
      #expect(printed.output.split(separator: "s3cret").count == 2)
      #expect(!printed.output.contains("- \"--"), "\(printed)")
      #expect(!printed.output.contains("rclone"))
    }
  }

  @Test(arguments: [
    ["--target", "local"], ["--directory", "/a"], ["--password-file", "/p"],
    ["--kubeconfig", "/k"],
    ["--context", "c"], ["--tls", "--cacert", "/ca"], ["--host-path", "/a"],
    ["--tls", "--cacert", "secret/a"], ["--tls", "--cacert", "pod/a/b"],
    ["--tls", "--cert", "secret//b"], ["--prefer-replica"], ["--on-success", "rclone"],
    ["--on-failure", "mail"],
    ["--name", "Bad Name"], ["--name", String(repeating: "a", count: 53)], ["--storage", "lots"],
  ])
  func `what means nothing inside the cluster is refused`(options: [String]) async throws {
    let printed = try await BackupTool(options: [], home: "/")
      .run(["schedule", "kubernetes"] + options)
    #expect(printed.status == 64, "\(printed)")
    #expect(printed.output == "")
  }

  @Test func `a run that may wait has the more time`() async throws {
    let printed = try await BackupTool(options: [], home: "/")(
      "schedule", "kubernetes", "--random-delay", "5h", "--wait", "10m", "--tag", "a=\u{7F}\u{85}")
    #expect(printed.status == 0)
    #expect(printed.output.contains("activeDeadlineSeconds: \(14400 + 18000 + 600)\n"))
    #expect(printed.output.contains(#"- "a=\x7f\x85""#))
  }

  @Test(arguments: ["24:00", "2", "2:60", "-1:00", "02:17:00", ":", "a:b"])
  func `a time that there is not is refused`(time: String) async throws {
    let printed = try await BackupTool(options: [], home: "/")("schedule", "cron", "--at=\(time)")
    #expect(printed.status == 64)
    #expect(printed.error.contains("is not a time such as 02:17"))
  }
}
