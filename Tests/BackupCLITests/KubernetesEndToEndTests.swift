import FoundationEssentials
import TestSupport
import Testing

/// The program as a user runs it, against servers in a real cluster.
@Suite(
  .serialized,
  .enabled(
    if: ClusterRedis.kubeconfig != nil, "RAIBID_TEST_KUBECONFIG names no kubeconfig of a cluster"))
struct KubernetesEndToEndTests {
  @Test func `the nightly job needs nothing but its defaults and KUBECONFIG`() async throws {
    try await ClusterRedis.with(namespace: "raibid-redis") { redis in
      try await withTemporaryDirectory { home in
        var user = ClusterUser(redis, home: home)
        user.tool.options = []
        try await redis.fill()
        let before = try await redis.picture()

        let created = try await user.tool("create")
        try #require(created.status == 0, "\(created)")
        #expect(created.output.isEmpty && created.error.isEmpty, "\(created)")
        let verified = try await user.tool("verify")
        #expect(verified.status == 0, "\(verified)")
        #expect(try await redis.strangers() == [])

        try await redis.wreck()
        let restored = try await user.tool("restore", "latest", "--yes")
        try #require(restored.status == 0, "\(restored)")
        #expect(try await redis.picture() == before)
        #expect(try await user.leftovers() == [])
      }
    }
  }

  @Test(arguments: ClusterRedis.Image.allCases)
  func `a restore brings everything back, over one more restart too`(
    image: ClusterRedis.Image
  ) async throws {
    try await ClusterUser.with(image) { user in try await roundTrip(user) }
  }

  @Test func `without an append-only file a restore brings everything back too`() async throws {
    try await ClusterUser.with(replacing: ["appendonly yes": "appendonly no"]) { user in
      try await roundTrip(user)
    }
  }

  @Test func `single keys come back into the running server`() async throws {
    try await ClusterUser.with { user in
      let stream =
        "XINFO STREAM raibid:jobs\nXINFO GROUPS raibid:jobs\n"
        + "XPENDING raibid:jobs raibid-workers\n"
      let before = try await user.redis.cli(stream)
      _ = try await user.backUpAndWreck()
      let pod = try await user.redis.podID()
      let there = try await user.tool("restore", "latest", "--key", "raibid:jobs", "--yes")
      #expect(there.status == 78, "\(there)")
      let restored = try await user.tool(
        "restore", "latest", "--key", "raibid:jobs", "--yes", "--replace")
      try #require(restored.status == 0, "\(restored)")
      #expect(try await user.redis.cli(stream) == before)
      #expect(try await user.redis.cli("GET oops\n") == "1")
      #expect(try await user.redis.podID() == pod)
      #expect(try await user.leftovers() == [])
    }
  }

  private func roundTrip(_ user: ClusterUser) async throws {
    let (backup, wreck) = try await user.backUpAndWreck()
    let pod = try await user.redis.podID()
    #expect(try await user.tool("verify", "--all").status == 0)
    #expect(try await user.leftovers() == [])

    let restored = try await user.tool("restore", "latest", "--yes")
    try #require(restored.status == 0, "\(restored)")
    #expect(try await user.redis.picture() == backup)
    #expect(try await user.redis.acceptsWrites())
    #expect(try await user.redis.podID() != pod)
    #expect(try await user.leftovers() == [])

    try await user.redis.restart()
    #expect(try await user.redis.picture() == backup)

    // The data that was replaced is in the safety backup.
    let safety = try #require(try user.archiveFiles().last { $0.hasSuffix(".rdb.gz") })
    let back = try await user.tool("restore", safety, "--yes", "--no-safety-backup")
    try #require(back.status == 0, "\(back)")
    #expect(try await user.redis.picture() == wreck)
    #expect(try await user.leftovers() == [])
  }
}
