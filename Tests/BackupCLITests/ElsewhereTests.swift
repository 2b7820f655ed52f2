import FoundationEssentials
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Whose dump it is that lies at the server's path on this host.
@Suite struct ElsewhereTests {
  private static let quiet = ["repl-diskless-sync-delay 0", "save \"\""]

  private struct Document: Decodable {
    struct Save: Decodable { let via: String }
    struct Content: Decodable { let keys: Int }
    let save: Save
    let content: Content
  }

  @Test(.enabled(if: FileManager.default.fileExists(atPath: "/proc/net/if_inet6")))
  func `an address of IPv4 in the clothes of IPv6 leads straight to the server`() async throws {
    try await withRealServer(.primary, configuration: Self.quiet) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let outcome = try await tool("create", "--json", "--host", "::ffff:127.0.0.1")
        #expect(try outcome.json(Document.self).save.via == "file", "\(outcome)")
      }
    }
  }

  @Test func `behind a tunnel the file of this host is not taken for the server's`() async throws {
    try await withRealServer(.primary, configuration: Self.quiet) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        try await Tunnel.with(to: server.port, in: archives) { port in
          var tool = BackupTool(for: server, archives: archives)
          tool.options += ["--port", "\(port)"]
          let outcome = try await tool("create", "--json", "--verbose")
          #expect(outcome.status == 0, "\(outcome)")
          #expect(
            outcome.error.hasPrefix(
              "the dump will come over the replication stream: the connection does not lead straight to "
                + "process "), "\(outcome)")
          #expect(try outcome.json(Document.self).save.via == "replication")
          let saved = try await tool("create", "--quiet", "--save", "save")
          #expect(saved.status == 76 && saved.error.contains("straight"), "\(saved)")
        }
      }
    }
  }

  /// What keeps a file of this host from being read, where it is the file.
  enum Obstacle: String, CaseIterable {
    case tunnel = "the connection does not lead straight to process "
    case hiddenProcess =
      " is hidden from this user (hidepid of /proc), so its files may not be here"
    case noWatch = "its file cannot be watched while it is written, since "
  }

  @Test(.enabled(if: ProcessInfo.processInfo.userName == "root"), arguments: Obstacle.allCases)
  func `a user who may only save is told why that is not enough, and what is`(
    obstacle: Obstacle
  ) async throws {
    try await withRealServer(.primary, configuration: Self.quiet) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli(
          "ACL", "SETUSER", "saver", "on", ">secret", "+info", "+config|get", "+bgsave")
        for path in [archives, server.directory] {
          try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
        }
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--user", "saver"]
        tool.environment["REDISCLI_AUTH"] = "secret"
        switch obstacle {
        case .tunnel: break
        case .hiddenProcess:
          tool = tool.asNobody
          tool.wrapper =
            [
              "unshare", "-m", "sh", "-c",
              "mount -t proc -o hidepid=2 proc /proc && exec \"$@\"", "sh",
            ] + tool.wrapper
        case .noWatch:
          tool.wrapper = [
            "unshare", "-Ur", "sh", "-c",
            "echo 0 >/proc/sys/user/max_inotify_instances && exec \"$@\"", "sh",
          ]
        }
        let direct = tool
        try await Tunnel.with(to: server.port, in: archives) { port in
          var tool = direct
          if obstacle == .tunnel { tool.options += ["--port", "\(port)"] }
          let denied = try await tool("create")
          #expect(denied.status == 77, "\(denied)")
          #expect(denied.error.contains(obstacle.rawValue), "\(denied)")
          #expect(denied.error.contains(" ACL SETUSER saver +replconf +sync\n"), "\(denied)")
          let saved = try await tool("create", "--quiet", "--save", "save")
          #expect(saved.status == 76 && saved.error.contains(obstacle.rawValue), "\(saved)")
        }
      }
    }
  }

  @Test func `behind a tunnel nothing is restored, and no journal of this host is taken up`()
    async throws
  {
    try await withRealServer(.primary, configuration: Self.quiet) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        let journal = server.directory + "/raibid-restore.json"
        try Data("{}".utf8).write(to: URL(filePath: journal))
        try await Tunnel.with(to: server.port, in: archives) { port in
          var tunneled = tool
          tunneled.options += ["--port", "\(port)"]
          for request in [["latest", "--from-other-source"], ["--resume"], ["--rollback"]] {
            let outcome = try await tunneled.run(
              ["restore"] + request + ["--yes", "--restart-command", server.startCommand])
            #expect(outcome.status == 76, "\(outcome)")
            #expect(
              outcome.error.contains("the connection does not lead straight to"), "\(outcome)")
          }
        }
        #expect(try Data(contentsOf: URL(filePath: journal)) == Data("{}".utf8))
        #expect(try await server.cli("GET", "a") == "1")
      }
    }
  }

  @Test func `behind a tunnel no key is written where a restore may be unfinished`() async throws {
    try await withRealServer(.primary, configuration: Self.quiet) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        try await server.cli("DEL", "a")
        try await Tunnel.with(to: server.port, in: archives) { port in
          var tunneled = tool
          tunneled.options += ["--port", "\(port)"]
          let restore = ["restore", "latest", "--key", "a", "--yes", "--from-other-source"]
          let log = """
            {"archive":"x","event":"started","target":"127.0.0.1:\(port)","time":"2026-11-24T02:00:00Z","user":"0"}

            """
          let path = archives + "/restores.jsonl"
          try Data(log.utf8).write(to: URL(filePath: path))
          let refused = try await tunneled.run(restore)
          #expect(refused.status == 78, "\(refused)")
          #expect(
            refused.error.contains("its last restore never ended; nothing was changed"),
            "\(refused)")
          #expect(try await server.cli("EXISTS", "a") == "0")

          // What lies at the path here is another server's.
          try FileManager.default.removeItem(atPath: path)
          try Data("{}".utf8).write(to: URL(filePath: server.directory + "/raibid-restore.json"))
          let restored = try await tunneled.run(restore)
          #expect(restored.status == 0, "\(restored)")
        }
      }
    }
  }

  /// As of a container, or of a service that systemd gives its own directories: the process is on this
  /// host, but its paths are not.
  @Test(.enabled(if: ProcessInfo.processInfo.userName == "root"))
  func `a server with another directory of the same name gives its own data`() async throws {
    try await withRealServer(.primary, configuration: Self.quiet) { here in
      try await withTemporaryDirectory { other in
        try await here.cli("SET", "here", "1")
        try await withStranger(beside: here, mounting: other) { stranger in
          let archives = other + "/archives"
          let tool = BackupTool(for: stranger, archives: archives)
          // The dump of the other one is always as new as that of the one that is asked.
          try await whileSaving(here) {
            let outcome = try await tool("create", "--json", "--verbose")
            #expect(outcome.status == 0, "\(outcome)")
            let document = try outcome.json(Document.self)
            #expect(document.content.keys == 3, "\(outcome)")
            #expect(document.save.via == "replication")
          }
        }
      }
    }
  }

  @Test func `of two servers that write the same file only the one that was asked is archived`()
    async throws
  {
    try await withRealServer(.primary, configuration: Self.quiet) { other in
      try await withTemporaryDirectory { archives in
        try await other.cli("SET", "other", "1")
        try await withStranger(beside: other, mounting: nil) { server in
          let tool = BackupTool(for: server, archives: archives)
          try await whileSaving(other) {
            let outcome = try await tool("create", "--json")
            if outcome.status == 0 {
              #expect(try outcome.json(Document.self).content.keys == 3, "\(outcome)")
            } else {
              #expect(outcome.status == 69, "\(outcome)")
              #expect(outcome.error.contains("--via replication\n"), "\(outcome)")
            }
          }
          let alone = try await tool("create", "--json")
          #expect(try alone.json(Document.self).save.via == "file", "\(alone)")
          #expect(try alone.json(Document.self).content.keys == 3, "\(alone)")
        }
      }
    }
  }

  @Test func `who may not look at the server's process still reads its file`() async throws {
    try await withRealServer(.primary, configuration: Self.quiet + ["rdbchecksum yes"]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        let files = FileManager.default
        for path in [archives, server.directory] {
          try files.setAttributes([.posixPermissions: 0o777], ofItemAtPath: path)
        }
        let tool = BackupTool(for: server, archives: archives).asNobody
        let outcome = try await tool("create", "--json")
        #expect(try outcome.json(Document.self).save.via == "file", "\(outcome)")
        if ProcessInfo.processInfo.userName == "root" {
          // As the hardened service of `schedule systemd`.
          var service = BackupTool(for: server, archives: archives + "/service")
          service.wrapper = [
            "setpriv", "--bounding-set=-all,+dac_override,+dac_read_search", "--inh-caps=-all",
          ]
          let outcome = try await service("create", "--json")
          try #require(outcome.status == 0, "\(outcome)")
          #expect(try outcome.json(Document.self).save.via == "file", "\(outcome)")
        }
        try await Tunnel.with(to: server.port, in: archives) { port in
          var tunneled = tool
          tunneled.options += ["--port", "\(port)"]
          let outcome = try await tunneled("create", "--json")
          // Who is root here runs the tunnel as well, so that only the dump itself can tell.
          #expect(try outcome.json(Document.self).content.keys == 1, "\(outcome)")
        }
      }
    }
  }

  // MARK: - Others

  /// Runs one more server with three keys in the directory of another one.
  ///
  /// - Parameter directory: What it sees there instead; nil for the same.
  private func withStranger(
    beside server: RealServer, mounting directory: String?,
    _ body: @Sendable @escaping (RealServer) async throws -> Void
  ) async throws {
    let port = TestPort.next()
    let folder = server.directory
    let stranger = server.beside(port: port)
    let start = ["'\(server.version.serverPath)'", "--port \(port)", "--dir '\(folder)'"]
    let command =
      (start + ["--bind 127.0.0.1", "--save ''", "--repl-diskless-sync-delay 0"])
      .joined(separator: " ")
    var words = ["--pdeathsig", "KILL"]
    if let directory {
      words += [
        "unshare", "-m", "sh", "-c", "mount --bind '\(directory)' '\(folder)'; exec \(command)",
      ]
    } else {
      words += ["sh", "-c", "exec \(command)"]
    }
    _ = try await run(
      .name("setpriv"), arguments: Arguments(words), input: .none, output: .discarded,
      error: .discarded
    ) { execution in
      do {
        try await eventually("the other server answers") {
          do { return try await stranger.cli("PING") == "PONG" } catch is RealServer.ClientFailed {
            return false
          }
        }
        try await stranger.cli("MSET", "x", "1", "y", "2", "z", "3")
        try await body(stranger)
        try execution.send(signal: .kill)
      } catch {
        try execution.send(signal: .kill)
        throw error
      }
    }
  }

  private func whileSaving(
    _ server: RealServer, _ body: @Sendable @escaping () async throws -> Void
  ) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        while !Task.isCancelled {
          do { try await server.cli("SAVE") } catch is CancellationError { break }
        }
        return false
      }
      group.addTask {
        try await body()
        return true
      }
      while try await group.next() == false {}
      group.cancelAll()
    }
  }
}
