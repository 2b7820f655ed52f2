import FoundationEssentials
import TestSupport
import Testing

/// The way back, when others work with the server meanwhile.
@Suite struct RollbackTests {
  @Test(arguments: [Persistence.appendOnly, .savePoints])
  func `a server that was started with the old data keeps what it was given since`(
    persistence: Persistence
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, _, _ in
      let failed = try await tool(
        "restore", "latest", "--yes", "--restart-command", "false")
      try #require(failed.status == 81, "\(failed)")

      try await server.start()
      try #require(try await server.cli("SET", "since", "1") == "OK")
      let result = try await tool(
        "restore", "--rollback", "--yes", "--restart-command", server.startCommand)

      #expect(result.status == 0, "\(result)")
      #expect(try await server.cli("GET", "since") == "1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test(arguments: [Persistence.appendOnly, .savePoints])
  func `a server that comes up with something else is started again with the old data`(
    persistence: Persistence
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, archives, _ in
      let old = try await Queue.picture(server)
      let mark = archives + "/mark"

      // Only the first start reads other files, which cannot be seen inside of quotes.
      let failed = try await tool(
        "restore", "latest", "--yes", "--restart-command",
        "sh -c \"if mkdir '\(mark)'; then \(server.startCommand) --appendonly no --dbfilename none.rdb; "
          + "else \(server.startCommand); fi\"")

      #expect(failed.status == 80, "\(failed)")
      #expect(failed.error.contains("the old data is served again"), "\(failed)")
      #expect(try await Queue.picture(server) == old)
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test(arguments: [Persistence.appendOnly, .savePoints])
  func `a save of somebody else on the way back is noticed, and the way can be gone again`(
    persistence: Persistence
  ) async throws {
    try await withSpoiltServer(.primary, persistence) { tool, server, archives, _ in
      let backup = try #require(
        try FileManager.default.contentsOfDirectory(atPath: archives)
          .first { $0.hasSuffix(".rdb.gz") })
      let old = try await Queue.picture(server)
      try await killedAtRestart(tool, server, archives)
      // The backup's data again, written over the old files between stop and start.
      let start =
        persistence == .appendOnly
        ? "sed -i 's/aof.1.base.rdb seq 1 /aof.1001.base.rdb seq 1001 /; "
          + "s/aof.1.incr.aof seq 1 /aof.1001.incr.aof seq 1001 /' "
          + "\(server.directory)/appendonlydir/appendonly.aof.manifest; "
        : "cp \(server.directory)/dump.rdb \(server.directory)/t; "
          + "gunzip -c \(archives)/\(backup) > \(server.directory)/t; "
          + "mv \(server.directory)/t \(server.directory)/dump.rdb; "

      let noticed = try await tool(
        "restore", "--rollback", "--yes", "--restart-command", start + server.startCommand)
      #expect(noticed.status == 81, "\(noticed)")
      let again = try await tool(
        "restore", "--rollback", "--yes", "--restart-command", server.startCommand)

      #expect(again.status == 0, "\(again)")
      #expect(try await Queue.picture(server) == old)
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }
}
