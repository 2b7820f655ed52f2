import FoundationEssentials
import Glibc
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  @Test(arguments: [(SIGINT, "cp"), (SIGTERM, "exec")])
  func `a signal while the dump is copied ends the backup and leaves nothing`(
    signal: Int32, way: String
  ) async throws {
    try await ClusterUser.with { user in
      try await user.redis.inflate()
      let outcome = try await user.run(
        "create", "--via", way, sending: signal, at: "copying the dump"
      ) { try user.isCopying(by: way) }
      #expect(outcome.status == 128 + signal, "\(outcome)")
      #expect(try user.archiveFiles() == [])
      #expect(try await user.leftovers() == [])
      #expect(try await user.redis.acceptsWrites())
    }
  }

  @Test(arguments: [
    (SIGINT, "copying the backup to the volume"), (SIGTERM, "taking a safety backup"),
    (SIGTERM, "closing the server's files"), (SIGINT, "keeping the old files"),
  ])
  func `a signal before the swap brings the old data back`(
    signal: Int32, step: String
  ) async throws {
    try await ClusterUser.with { user in
      let (_, wreck) = try await user.backUpAndWreck()
      let pod = try await user.redis.podID()
      let outcome = try await user.run("restore", "latest", "--yes", sending: signal, at: step)
      #expect(outcome.status == 128 + signal, "\(outcome)")
      #expect(try await user.redis.picture() == wreck)
      #expect(try await user.redis.acceptsWrites())
      #expect(try await user.redis.podID() == pod)
      #expect(try await user.leftovers() == [])
      try await user.redis.restart()
      #expect(try await user.redis.picture() == wreck)
    }
  }

  @Test func `a signal after the swap is too late to stop the restore`() async throws {
    try await ClusterUser.with { user in
      let (backup, _) = try await user.backUpAndWreck()
      let outcome = try await user.run(
        "restore", "latest", "--yes", sending: SIGTERM, at: "restarting the server")
      #expect(outcome.status == 0 || outcome.status == 143, "\(outcome)")
      #expect(try await user.redis.picture() == backup)
      #expect(try await user.redis.acceptsWrites())
      #expect(try await user.leftovers() == [])
    }
  }

  @Test func `a pod that is deleted during a backup has it made again, or leaves nothing`()
    async throws
  {
    try await ClusterUser.with { user in
      try await user.redis.inflate()
      let outcome = try await user.tool.run(["create", "--via", "cp"]) { _ in
        try await eventually("the dump is copied") { try user.isCopying(by: "cp") }
        try await user.redis.kubectl(
          "delete", "pod/\(ClusterRedis.pod)", "--grace-period=0", "--force")
      }
      #expect([0, 65, 69].contains(outcome.status), "\(outcome)")
      if outcome.status == 0 {
        // The next pod was there soon enough.
        #expect(outcome.error.contains("; trying again in "), "\(outcome)")
        #expect(try await user.tool.run(["verify"]).status == 0)
      } else {
        #expect(outcome.error.contains("hint: "), "\(outcome)")
        #expect(try user.archiveFiles() == [])
      }
      #expect(try user.unfinished() == [])
    }
  }
}

extension ClusterUser {
  /// Whether the dump comes out of the pod.
  ///
  /// - Parameter way: The way of it, "cp" or "exec".
  func isCopying(by way: String) throws -> Bool {
    try processes().contains {
      $0.contains("--namespace=\(redis.namespace) \(way) ") && $0.contains("/dump.rdb")
    }
  }
}
