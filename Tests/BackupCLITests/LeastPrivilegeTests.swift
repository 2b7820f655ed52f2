import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// The users of `scripts/redis`: each has what its command needs, and nothing that it does not.
@Suite struct LeastPrivilegeTests {
  @Test(arguments: ServerVersion.available)
  func `the user for backups makes one, and can do without none of its rights`(
    version: ServerVersion
  ) async throws {
    let user = try ServerUser("acl-create.txt", for: version)
    try await user.withServer(version) { server, archives in
      var tool = BackupTool(for: server, archives: archives)
      tool.options += ["--user", user.name]
      tool.environment["REDISCLI_AUTH"] = user.password
      let created = try await tool("create")
      #expect(created.status == 0 && created.error.isEmpty, "\(created)")
      for command in user.commands {
        try await user.remove(command, on: server)
        try user.expectDenial(of: command, try await tool("create"))
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `the user for the replication stream gets a dump, and lacks no right in silence`(
    version: ServerVersion
  ) async throws {
    let user = try ServerUser("acl-replication.txt", for: version)
    try await user.withServer(version) { server, archives in
      var tool = BackupTool(for: server, archives: archives)
      tool.options += ["--user", user.name]
      tool.environment["REDISCLI_AUTH"] = user.password
      let create = ["create", "--via", "replication"]
      let created = try await tool.run(create)
      #expect(created.status == 0 && created.error.isEmpty, "\(created)")
      for command in user.commands {
        try await user.remove(command, on: server)
        let outcome = try await tool.run(create)
        guard command == "config|get" else {
          try user.expectDenial(of: command, outcome)
          continue
        }
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.error.contains("whether a restore is unfinished cannot be seen: "))
      }
    }
  }

  /// What a restore can do without, when it says what it does not know.
  private static let dispensable: Set<String> = ["xpending", "client|id", "client|list"]

  @Test(arguments: ServerVersion.available)
  func `the user for restores sees all that a plan tells, and what is not seen is told`(
    version: ServerVersion
  ) async throws {
    let user = try ServerUser("acl-restore.txt", for: version)
    try await user.withServer(version) { server, archives in
      var tool = BackupTool(for: server, archives: archives)
      try await Queue.fill(server)
      #expect(try await tool("create").status == 0)
      tool.options += ["--user", user.name, "--restart-command", server.startCommand]
      tool.environment["REDISCLI_AUTH"] = user.password
      let plan = ["restore", "latest", "--dry-run"]
      let whole = try await tool.run(plan)
      #expect(whole.status == 0 && !whole.output.contains("NOPERM"), "\(whole)")
      for command in Self.dispensable {
        try await user.remove(command, on: server)
        let outcome = try await tool.run(plan)
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.output.contains(", since NOPERM "), "without \(command): \(outcome)")
        #expect(
          outcome.output.contains("'\(command)'")
            || outcome.output.contains("'\(command.prefix { $0 != "|" })'"),
          "without \(command): \(outcome)")
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `the user for restores restores, and lacking a right changes nothing`(
    version: ServerVersion
  ) async throws {
    let user = try ServerUser("acl-restore.txt", for: version)
    try await user.withServer(version) { server, archives in
      var tool = BackupTool(for: server, archives: archives)
      try await Queue.fill(server)
      let backup = try await Queue.picture(server)
      #expect(try await tool("create").status == 0)
      try await Queue.wreck(server)
      let wreck = try await Queue.picture(server)
      tool.options += ["--user", user.name, "--restart-command", server.startCommand]
      tool.environment["REDISCLI_AUTH"] = user.password
      for command in user.commands where !Self.dispensable.contains(command) {
        try await user.remove(command, on: server)
        try user.expectDenial(of: command, try await tool("restore", "latest", "--yes"))
      }
      #expect(try await Queue.picture(server) == wreck)
      try await server.cli("ACL", "LOAD")
      let restored = try await tool("restore", "latest", "--yes")
      #expect(restored.status == 0, "\(restored)")
      #expect(try await Queue.picture(server) == backup)
    }
  }
}

/// A user as a file of `scripts/redis` has it.
private struct ServerUser {
  let password = "a secret"
  let name: String
  /// What stands behind the name.
  private let rules: [String]

  init(_ file: String, for version: ServerVersion) throws {
    var root = URL(filePath: #filePath)
    for _ in 1...3 { root.deleteLastPathComponent() }
    let text = try String(
      contentsOf: root.appending(path: "scripts/redis/\(file)"), encoding: .utf8)
    var words = text.split(whereSeparator: \.isWhitespace).map(String.init)
    // 6.2 has no functions, and no right to them.
    if !version.isAtLeast(7, 0) { words.removeAll { $0 == "+function|list" } }
    try #require(words.first == "user" && words.count > 3 && words.contains(">PASSWORD"))
    name = words[1]
    rules = words.dropFirst(2).map { $0 == ">PASSWORD" ? ">a secret" : $0 }
  }

  /// The commands that the user may send.
  var commands: [String] {
    rules.filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) }
  }

  /// Runs a body with a server that has read its users from a file.
  func withServer(
    _ version: ServerVersion, _ body: (RealServer, _ archives: String) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { place in
      // A file of users takes no blanks in passwords.
      let digest = try await sha256(password)
      let line = (["user", name] + rules.map { $0.hasPrefix(">") ? "#\(digest)" : $0 })
        .joined(separator: " ")
      try Data("user default on nopass ~* &* +@all\n\(line)\n".utf8)
        .write(to: URL(filePath: place + "/users.acl"))
      let configuration = ["aclfile \(place)/users.acl", "appendonly yes"]
      try await withRealServer(version, configuration: configuration) { server in
        try await body(server, place + "/archives")
      }
    }
  }

  /// Gives the user all rights again but one.
  func remove(_ command: String, on server: RealServer) async throws {
    let left = rules.filter { $0 != "+\(command)" }
    #expect(try await server.cli(["ACL", "SETUSER", name, "reset"] + left) == "OK")
  }

  /// Expects that a run was refused for want of a command, and says so.
  func expectDenial(of command: String, _ outcome: BackupTool.Outcome) throws {
    #expect(outcome.status == 77, "without \(command): \(outcome)")
    #expect(outcome.error.contains("user \(name) lacks a right"), "without \(command): \(outcome)")
    // 6.2 names the command alone, others the part of it that was sent.
    let name = command.prefix { $0 != "|" }
    #expect(
      ["'\(command)'", "'\(name)'", "'\(name)|stream'"].contains { outcome.error.contains($0) },
      "without \(command): \(outcome)")
  }

  private func sha256(_ text: String) async throws -> String {
    let result = try await run(
      .name("sha256sum"), input: .string(text), output: .string(limit: 1 << 10))
    return String(result.standardOutput.prefix(64))
  }
}
