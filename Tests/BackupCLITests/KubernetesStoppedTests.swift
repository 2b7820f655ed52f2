import FoundationEssentials
import Glibc
import TestSupport
import Testing

// Restores by the files of a server that does not run: its StatefulSet is kept at 0 replicas, and a
// helper pod reaches its volume.

extension KubernetesEndToEndTests {
  @Test func `a pod in a crash loop is restored by the files of its volume`() async throws {
    try await ClusterUser.with { user in
      let redis = user.redis
      let (backup, _) = try await user.backUpAndWreck()
      try await redis.crash()

      let stopped = try await user.run(
        "restore", "latest", "--yes", sending: SIGTERM, at: "copying the backup to the volume")
      #expect(stopped.status == 143, "\(stopped)")
      #expect(try await redis.hold() == "1")
      try await redis.awaitCrashLoop(of: "raibid-redis")

      let image = "localhost/none:1"
      let missing = try await user.tool("restore", "latest", "--yes", "--helper-image", image)
      #expect(missing.status == 69 && missing.error.contains(image), "\(missing)")
      #expect(try await redis.hold() == "1")
      try await redis.awaitCrashLoop(of: "raibid-redis")

      let killed = try await user.run(
        "restore", "latest", "--yes", sending: SIGKILL, at: "swapping")
      #expect(killed.status == 137, "\(killed)")
      #expect(try await redis.hold() == "01pod/\(ClusterRedis.pod)-restore")
      try await user.expectLeftStopped()

      let restored = try await user.tool(
        "restore", "latest", "--yes", "--helper-image", "localhost/valkey:8.1")
      try #require(restored.status == 0, "\(restored)")
      #expect(try await redis.picture() == backup)
      #expect(try await redis.hold() == "1")
      #expect(try await redis.unexpectedFiles() == [])
      #expect(
        try await redis.shell("cat /data/appendonlydir.before-*/*.base.rdb")
          == ClusterRedis.nonsense)
      #expect(try user.unfinished() == [])

      try await redis.cli("SET after 1")
      try await redis.restart()
      #expect(try await redis.cli("GET after\nDEL after") == "1\n1")
      #expect(try await redis.picture() == backup)
    }
  }

  @Test func `a StatefulSet without replicas gets one with the backup, or none as before`()
    async throws
  {
    try await ClusterUser.with { user in
      let redis = user.redis
      let (backup, wreck) = try await user.backUpAndWreck()
      let configuration = "dir /data\nappendonly yes\nenable-debug-command local\nsave ''"
      try await redis.configure(configuration + "\nno-such-setting 1")
      try await redis.scaleDown()

      let failed = try await user.tool("restore", "latest", "--yes")
      #expect(failed.status == 80, "\(failed)")
      #expect(
        failed.error.contains("its old files are back, and it does not run, as before\n"),
        "\(failed)")
      #expect(try await redis.hold() == "0")

      try await redis.configure(configuration)
      try await redis.scaleUp()
      #expect(try await redis.picture() == wreck)
      #expect(try await user.leftovers() == [])

      try await redis.shell("rm -rf /data/*")
      try await redis.scaleDown()
      let restored = try await user.tool("restore", "latest", "--yes")
      try #require(restored.status == 0, "\(restored)")
      #expect(try await redis.hold() == "1")
      #expect(try await redis.picture() == backup)
      #expect(try await redis.acceptsWrites())
      #expect(try await user.leftovers() == [])
    }
  }

  @Test func `a killed restore by files is finished or undone by the next run`() async throws {
    try await ClusterUser.with { user in
      let redis = user.redis
      let (backup, wreck) = try await user.backUpAndWreck()
      try await redis.scaleDown()
      func kill(at step: String, when condition: @escaping @Sendable () async throws -> Bool)
        async throws
      {
        let killed = try await user.run(
          "restore", "latest", "--yes", sending: SIGKILL, at: step, when: condition)
        #expect(killed.status == 137, "\(killed)")
        try await eventually("its children are gone") { try user.processes().isEmpty }
      }

      // Its next run is the second one that is killed.
      try await kill(at: "keeping the server from being started") {
        try await redis.hold() != "0"
      }
      try await kill(at: "copying the backup to the volume") { true }
      #expect(try await redis.hold() == "00pod/\(ClusterRedis.pod)-restore")
      try await user.expectLeftStopped()
      let undone = try await user.tool("restore", "--rollback", "--yes")
      #expect(undone.status == 0, "\(undone)")
      #expect(try await redis.hold() == "0")

      try await kill(at: "comparing the data") { true }
      #expect(try await redis.hold() == "10 started")
      let stopped = try await user.tool("restore", "--rollback", "--yes")
      #expect(stopped.status == 0, "\(stopped)")
      #expect(try await redis.hold() == "0")
      try await redis.scaleUp()
      #expect(try await redis.picture() == wreck)
      #expect(try await user.leftovers() == [])

      try await redis.scaleDown()
      try await kill(at: "starting the server") { true }
      try await user.expectLeftStopped()
      let resumed = try await user.tool("restore", "--resume", "--yes")
      try #require(resumed.status == 0, "\(resumed)")
      #expect(try await redis.hold() == "1")
      #expect(try await redis.picture() == backup)
      #expect(try await redis.acceptsWrites())
      #expect(try await redis.unexpectedFiles() == [])
    }
  }
}

extension ClusterUser {
  /// Checks that a backup says what is to be done first.
  func expectLeftStopped() async throws {
    let created = try await tool("create")
    #expect(created.status == 69, "\(created)")
    #expect(
      created.error.hasPrefix(
        "raibid-backup: cannot reach \(redis.namespace)/\(ClusterRedis.pod): its last restore never "
          + "ended and may have left it stopped\nhint: raibid-backup restore --resume "),
      "\(created)")
  }
}
