import FoundationEssentials
import TestSupport
import Testing

/// Restores by the files of a server that does not run.
@Suite struct StoppedRestoreTests {
  @Test(arguments: ServerVersion.available, Persistence.allCases)
  func `a server that cannot start is restored by its files`(
    version: ServerVersion, persistence: Persistence
  ) async throws {
    try await withSpoiltServer(version, persistence, password: "s3cret pass") {
      tool, server, _, before in
      try await server.stop()
      let broken = try breakFiles(of: server, persistence)
      await #expect(throws: RealServer.DidNotStart.self) { try await server.start() }

      let restored = try await restore(tool, server)

      try #require(restored.status == 0, "\(restored)")
      #expect(try await Queue.picture(server) == before)
      #expect(try await server.cli("SET", "after", "1") == "OK")
      #expect(try leftovers(in: server.directory) == broken.map(kept))
      for path in broken {
        #expect(try text(server.directory + "/" + kept(path)) == "REDIS is no such file")
      }
      try await server.cli("DEL", "after")
      for _ in 1...2 {
        if persistence == .nothing { try await server.cli("SAVE") }
        try await server.restart()
        #expect(try await Queue.picture(server) == before)
      }

      func kept(_ path: String) -> String {
        let mark = ".before-" + (stamp(in: server.directory) ?? "none")
        let words = path.split(separator: "/")
        return words.count == 1 ? path + mark : "\(words[0])\(mark)/\(words[1])"
      }
    }
  }

  @Test(arguments: ServerVersion.available, Persistence.allCases)
  func `an empty directory is filled whatever the server will read`(
    version: ServerVersion, persistence: Persistence
  ) async throws {
    try await withSpoiltServer(version, persistence) { tool, server, _, before in
      try await server.stop()
      for name in try data(in: server.directory) {
        try FileManager.default.removeItem(atPath: server.directory + "/" + name)
      }

      let restored = try await restore(tool, server)

      try #require(restored.status == 0, "\(restored)")
      #expect(try await Queue.picture(server) == before)
      #expect(try leftovers(in: server.directory) == [])
      let names = try data(in: server.directory)
      #expect(names == expectedNames(version, persistence), "\(names)")
      if persistence != .nothing {
        try await server.restart()
        #expect(try await Queue.picture(server) == before)
      }
    }
  }

  @Test(arguments: [Persistence.appendOnly, .savePoints])
  func `where the server does not start, its files are as before`(
    persistence: Persistence
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, _, _ in
      try await server.stop()
      _ = try breakFiles(of: server, persistence)
      let before = try contents(of: server.directory)

      let failed = try await tool.run(
        [
          "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
          "exit 3",
        ])

      #expect(failed.status == 80, "\(failed)")
      #expect(
        failed.error
          == """
          raibid-backup: cannot restore 127.0.0.1:\(server.port): its old files are back, and it does not \
          run, as before
          cause: cannot start the server: the restart command ended with status 3
          hint: redis-cli -h 127.0.0.1 -p \(server.port) PING

          """)
      #expect(try contents(of: server.directory) == before)
    }
  }

  @Test func `a server that serves something else is stopped, and the old files are back`()
    async throws
  {
    try await withSpoiltServer(.primary, .appendOnly) { tool, server, _, _ in
      try await server.stop()
      _ = try breakFiles(of: server, .appendOnly)
      let before = try contents(of: server.directory)

      let failed = try await tool(
        "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
        // What is inside quotes is not seen beforehand.
        "sh -c \"\(server.startCommand) --appendonly no --dbfilename none.rdb\"")

      #expect(failed.status == 80, "\(failed)")
      #expect(failed.error.contains("its old files are back, and it does not run"), "\(failed)")
      #expect(server.processID == nil)
      #expect(try contents(of: server.directory) == before)
    }
  }

  @Test func `nothing is touched where a server works, or where its data does not lie`()
    async throws
  {
    try await withSpoiltServer(.primary, .appendOnly) { tool, server, archives, before in
      let files = try contents(of: server.directory)
      let running = try await tool.run(
        [
          "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
          server.startCommand, "--target", "local", "--port", "1", "--from-other-source",
          "--directory", archives,
        ], plain: true)
      #expect(running.status == 75, "\(running)")
      let process = try #require(server.processID)
      #expect(
        running.error
          == "raibid-backup: cannot work with the files alone: server process \(process) in "
          + "\(server.directory) runs\nhint: ps -ef\n", "\(running)")

      let other = try await tool(
        "restore", "latest", "--yes", "--data-dir", "/tmp", "--restart-command", "exit 3")
      #expect(other.status == 78, "\(other)")
      #expect(
        other.error.hasPrefix(
          "raibid-backup: cannot restore: the server that answers works in \(server.directory), "
            + "not in /tmp; nothing was changed\n"), "\(other)")
      #expect(try await Queue.picture(server) != before)

      try await server.stop()
      let missing = try await tool(
        "restore", "latest", "--yes", "--data-dir", "/nowhere", "--restart-command", "exit 3")
      #expect(missing.status == 66, "\(missing)")
      #expect(missing.error.contains("there is no directory /nowhere"), "\(missing)")
      let elsewhere = try await tool.run(
        [
          "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
          "exit 3",
          "--target", "local", "--host", "192.0.2.1", "--from-other-source", "--connect-timeout",
          "1s", "--directory", archives,
        ], plain: true)
      #expect(elsewhere.status == 76, "\(elsewhere)")
      #expect(elsewhere.error.contains("192.0.2.1 is not this host"), "\(elsewhere)")
      let unsaid = try await tool("restore", "latest", "--yes", "--restart-command", "exit 3")
      #expect(unsaid.status == 69, "\(unsaid)")
      #expect(unsaid.error.contains("--data-dir DIR   # to restore by the files"), "\(unsaid)")
      #expect(try contents(of: server.directory) == files)
    }
  }

  @Test func `a dry run shows the way and touches nothing`() async throws {
    try await withSpoiltServer(.primary, .appendOnly) { tool, server, _, _ in
      try await server.stop()
      _ = try breakFiles(of: server, .appendOnly)
      let before = try contents(of: server.directory)

      let shown = try await tool(
        "restore", "latest", "--dry-run", "--json", "--data-dir", server.directory)

      #expect(shown.status == 0, "\(shown)")
      let document = try shown.json(Document.self)
      #expect(document.result == "dry_run")
      #expect(
        document.plan.map(\.step) == [
          "hold_server", "begin_journal", "stage_backup", "compare_digest", "keep_old_files",
          "swap_files", "start_server", "await_server", "compare_data", "accept_writes",
          "drop_unused_files", "remove_old_names", "end_journal", "release_server",
        ])
      #expect(try contents(of: server.directory) == before)
    }
  }

  @Test func `old files go where they are not wanted`() async throws {
    try await withSpoiltServer(.primary, .appendOnlyAndSavePoints) { tool, server, _, before in
      try await server.stop()
      _ = try breakFiles(of: server, .appendOnly)
      let restored = try await tool(
        "restore", "latest", "--yes", "--no-keep-old", "--json", "--data-dir", server.directory,
        "--restart-command", server.startCommand)
      try #require(restored.status == 0, "\(restored)")
      #expect(try restored.json(Document.self).old_files == nil)
      #expect(try await Queue.picture(server) == before)
      #expect(try leftovers(in: server.directory) == [])
    }
  }

  // MARK: - Kills

  @Test(arguments: [Persistence.appendOnly, .savePoints], ["", "--resume", "--rollback"])
  func `a run that is killed at the start of the server is finished or undone`(
    persistence: Persistence, way: String
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, archives, before in
      try await server.stop()
      _ = try breakFiles(of: server, persistence)
      let broken = try contents(of: server.directory)
      let file = archives + "/pid"
      let killed = try await tool.run(
        [
          "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
          "kill -9 $(cat '\(file)'); sleep 1",
        ]
      ) { processID in
        try Data("\(processID)".utf8).write(to: URL(filePath: file))
      }
      try #require(killed.status == 128 + 9, "\(killed)")
      // The log beside the archives knows where the journal lies.
      let shown = try await tool(
        "restore", way.isEmpty ? "latest" : way, "--dry-run", "--json")
      #expect(shown.status == 0, "\(shown)")
      #expect(
        try shown.json(Document.self).plan.first?.step
          == (way == "--rollback" ? "hold_server" : "start_server"))
      let ended = try await tool(
        "restore", way.isEmpty ? "latest" : way, "--yes", "--restart-command", server.startCommand)

      #expect(ended.status == 0, "\(ended)")
      if way == "--rollback" {
        #expect(try contents(of: server.directory) == broken)
        #expect(server.processID == nil)
      } else {
        #expect(try await Queue.picture(server) == before)
        try await server.cli("SET", "after", "1")
        try await server.restart()
        #expect(try await server.cli("GET", "after") == "1")
      }
    }
  }

  @Test(arguments: [true, false])
  func `a server that somebody started meanwhile keeps what it was given`(
    isRolledBack: Bool
  ) async throws {
    try await withSpoiltServer(.primary, .appendOnly) { tool, server, archives, _ in
      try await server.stop()
      _ = try breakFiles(of: server, .appendOnly)
      let file = archives + "/pid"
      _ = try await tool.run(
        [
          "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
          "kill -9 $(cat '\(file)'); sleep 1",
        ]
      ) { processID in
        try Data("\(processID)".utf8).write(to: URL(filePath: file))
      }
      try await server.start()
      try await server.cli("SET", "since", "1")

      let ended = try await tool(
        "restore", isRolledBack ? "--rollback" : "latest", "--yes", "--restart-command",
        server.startCommand)

      #expect(ended.status == 0, "\(ended)")
      if isRolledBack {
        // That is what the user asked for.
        await #expect(throws: RealServer.DidNotStart.self) { try await server.start() }
      } else {
        #expect(try await server.cli("GET", "since") == "1")
        try await server.restart()
        #expect(try await server.cli("GET", "since") == "1")
      }
      #expect(
        !FileManager.default.fileExists(atPath: server.directory + "/raibid-restore.json"))
    }
  }

  // MARK: - Parts

  private struct Document: Decodable {
    struct Line: Decodable {
      let step: String
    }

    let plan: [Line]
    let result: String
    let old_files: String?
  }

  private func restore(_ tool: BackupTool, _ server: RealServer) async throws -> BackupTool.Outcome
  {
    try await tool(
      "restore", "latest", "--yes", "--data-dir", server.directory, "--restart-command",
      server.startCommand)
  }

  /// Breaks what the server reads at its start.
  ///
  /// - Returns: The paths of the broken files in its directory.
  private func breakFiles(of server: RealServer, _ persistence: Persistence) throws -> [String] {
    let isAppendOnly = [.appendOnly, .appendOnlyAndSavePoints].contains(persistence)
    let paths = try FileManager.default.subpathsOfDirectory(atPath: server.directory).filter {
      isAppendOnly
        ? $0.hasSuffix(".base.rdb") || $0 == "appendonly.aof" && !server.version.isAtLeast(7, 0)
        : $0 == "dump.rdb"
    }
    for path in paths {
      try Data("REDIS is no such file".utf8).write(
        to: URL(filePath: server.directory + "/" + path))
    }
    try #require(paths.count == 1)
    return paths
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  /// The names of data files.
  private func data(in directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { !$0.hasPrefix("redis.") && $0 != ".raibid" }.sorted()
  }

  private func expectedNames(_ version: ServerVersion, _ persistence: Persistence) -> [String] {
    guard [.appendOnly, .appendOnlyAndSavePoints].contains(persistence) else { return ["dump.rdb"] }
    return version.isAtLeast(7, 0) ? ["appendonlydir"] : ["appendonly.aof"]
  }

  /// What a restore makes, besides the files of the server.
  private func leftovers(in directory: String) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: directory).filter { path in
      ["restore", "rollback", ".new", ".copying"].contains { path.contains($0) }
        || path.contains(".before-")
          && (path.hasSuffix(".base.rdb") || !path.contains("dir.before-"))
    }.sorted()
  }

  private func stamp(in directory: String) -> String? {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
    return names.compactMap { $0.components(separatedBy: ".before-").dropFirst().first }.first
  }

  /// All data files with what they hold.
  private func contents(of directory: String) throws -> [String: Data] {
    var all: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: directory)
    where !path.hasPrefix("redis.") && !path.hasPrefix(".raibid") {
      all[path] = FileManager.default.contents(atPath: directory + "/" + path) ?? Data()
    }
    return all
  }
}
