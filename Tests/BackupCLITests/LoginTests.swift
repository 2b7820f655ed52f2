import FoundationEssentials
import Subprocess
import TestSupport
import Testing

@Suite struct LoginTests {
  private func login(_ server: RealServer, user: String? = nil) -> String {
    "redis-cli -h 127.0.0.1 -p \(server.port)\(user.map { " --user \($0)" } ?? "") --askpass PING"
  }

  @Test func `a wrong password is denied`() async throws {
    try await withRealServer(.primary, password: "right") { server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        tool.environment["REDISCLI_AUTH"] = "wrong"
        try await Complaint(
          status: 77, kind: "denied",
          message: "cannot log in to 127.0.0.1:\(server.port): user or password is wrong",
          cause: "WRONGPASS invalid username-password pair or user is disabled.",
          hint: login(server)
        ).expect(of: tool, "create")
        #expect(try names(in: archives) == [])
      }
    }
  }

  @Test func `a password that is needed and was not given is asked for`() async throws {
    try await withRealServer(.primary, password: "right") { server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        tool.environment["REDISCLI_AUTH"] = .some(nil)
        try await Complaint(
          status: 77, kind: "denied",
          message:
            "cannot log in to 127.0.0.1:\(server.port): it wants a password, and none was found",
          cause: "looked at --password-file, REDISCLI_AUTH, ~/.raibid/redis-credentials.json",
          hint: "AGAIN --password-file FILE"
        ).expect(of: tool, "create")
        #expect(try names(in: archives) == [])
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a password for a server that has none is warned of, and the backup made`(
    version: ServerVersion
  ) async throws {
    try await withRealServer(version) { server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        tool.environment["REDISCLI_AUTH"] = "secret-and-superfluous"
        let outcome = try await tool("create")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(
          outcome.error
            == "raibid-backup: warning: a password was given, but the server has none: ERR AUTH "
            + "<password> called without any password configured for the default user. Are you sure "
            + "your configuration is correct?\n")
        #expect(try names(in: archives).count == 3)
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a user without a right is told which one`(version: ServerVersion) async throws {
    try await withRealServer(version) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("ACL", "SETUSER", "bob", "on", ">pw", "+ping", "+info", "+config")
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--user", "bob"]
        tool.environment["REDISCLI_AUTH"] = "pw"
        let outcome = try await tool("create")
        #expect(outcome.status == 77)
        let lines = outcome.error.split(separator: "\n").map(String.init)
        #expect(
          lines.first
            == "raibid-backup: cannot use 127.0.0.1:\(server.port): user bob lacks a right")
        #expect(
          lines.last
            == "hint: redis-cli -h 127.0.0.1 -p \(server.port) --askpass ACL SETUSER bob +bgsave")
        #expect(try names(in: archives) == [])
        // What the hint says is enough.
        try await server.cli("ACL", "SETUSER", "bob", "+bgsave")
        #expect(try await tool("create").status == 0)
      }
    }
  }

  @Test func `a user is who logs in, also without a password`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("ACL", "SETUSER", "free", "on", "nopass", "+ping", "+info", "+config")
        let tool = BackupTool(for: server, archives: archives)
        let refused = try await tool("create", "--user", "free")
        #expect(refused.status == 77, "\(refused)")
        #expect(refused.error.contains("user free lacks a right"), "\(refused)")
        try await server.cli("ACL", "SETUSER", "free", "+bgsave")
        #expect(try await tool("create", "--user", "free").status == 0)
        let unknown = try await tool("create", "--user", "nobody")
        #expect(unknown.status == 77, "\(unknown)")
        #expect(unknown.error.contains("user or password is wrong"), "\(unknown)")
      }
    }
  }

  @Test func `protected mode is named`() async throws {
    guard let address = try await ownAddress() else { return }
    try await withRealServer(.primary, configuration: ["bind 0.0.0.0", "protected-mode yes"]) {
      server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--host", address]
        let outcome = try await tool("create")
        #expect(outcome.status == 77)
        let lines = outcome.error.split(separator: "\n").map(String.init)
        #expect(lines.count == 3)
        #expect(
          lines.first
            == "raibid-backup: cannot use \(address):\(server.port): it is in protected mode, open to "
            + "its own host only")
        #expect(lines[1].hasPrefix("cause: DENIED "))
        #expect(lines[1].hasSuffix("user."))
        #expect(lines[2].hasSuffix(" --host 127.0.0.1"))
        #expect(try names(in: archives) == [])
      }
    }
  }

  /// An address of this host that is not its loopback's; nil where it has none.
  private func ownAddress() async throws -> String? {
    let result = try await run(
      .name("hostname"), arguments: ["-I"], output: .string(limit: 4096), error: .discarded)
    return result.standardOutput.split(whereSeparator: \.isWhitespace)
      .first { $0.contains(".") }.map(String.init)
  }
}
