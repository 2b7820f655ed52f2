import FoundationEssentials
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  /// One pod serves all of it: whatever is refused leaves it as it is, in its crash loop.
  @Test
  func `a server that does not run is left alone where its files are not its own or a right lacks`()
    async throws
  {
    try await ClusterUser.with { user in
      let redis = user.redis
      try await redis.apply("broken.yaml")
      let (backup, wreck) = try await user.backUpAndWreck()
      let pod = try await redis.podID()

      let deaf = try await user.tool("restore", "latest", "--yes", "--port", "6380")
      #expect(deaf.status == 69, "\(deaf)")
      #expect(try await redis.hold() == "1")
      #expect(try await redis.podID() == pod)
      #expect(try await redis.picture() == wreck)

      try await redis.crash()
      try await refuseWhatIsUnfit(user)
      #expect(try await redis.hold() == "1")
      #expect(try await redis.podID() == pod)

      let restored = try await refuseWithoutRights(user, pod)
      try #require(restored.status == 0, "\(restored)")
      #expect(try await redis.picture() == backup)
      #expect(try await redis.hold() == "1")
      #expect(try await redis.unexpectedFiles() == [])
    }
  }

  private func refuseWhatIsUnfit(_ user: ClusterUser) async throws {
    let redis = user.redis
    let place = "raibid-backup: cannot restore \(redis.namespace)"
    func refused(_ status: Int32, _ message: String, _ options: String...) async throws {
      let outcome = try await user.tool.run(["restore", "latest", "--yes"] + options)
      #expect(outcome.status == status, "\(outcome)")
      #expect(outcome.error.hasPrefix(message + "; nothing was changed\nhint: "), "\(outcome)")
      #expect(!outcome.error.contains("--restart server"), "\(outcome)")
    }

    try await redis.apply("sharing.yaml")
    try await refused(
      76,
      "\(place)/\(ClusterRedis.pod): claim redis-data-\(ClusterRedis.pod) is used by sharing too")
    try await redis.kubectl("delete", "pod/sharing", "--wait=true")

    let archive =
      user.archives + "/" + (try #require(try user.archiveFiles().first { $0.hasSuffix(".gz") }))
    func refusedElsewhere(_ name: String, _ fact: String, _ place: String...) async throws {
      try await redis.awaitCrashLoop(of: name)
      let outcome = try await user.tool.run(
        ["restore", archive, "--yes", "--from-other-source"] + place)
      #expect(outcome.status == 76, "\(outcome)")
      #expect(outcome.error.contains(": \(fact); nothing was changed\n"), "\(outcome)")
      #expect(!outcome.error.contains("--restart server"), "\(outcome)")
    }
    try await refusedElsewhere(
      "broken", "pod broken has no controller that would start it again", "--pod", "broken")
    try await refusedElsewhere(
      "broken-set",
      "the pod belongs to ReplicaSet broken-set, which would give the next one another name",
      "--selector", "app=broken-set")

    let outcome = try await user.tool.run(["restore", archive, "--yes", "--pod", "broken"])
    #expect(outcome.status == 78, "\(outcome)")
    #expect(
      outcome.error.hasPrefix(
        "\(place)/broken: the archive is of \(redis.namespace)/\(ClusterRedis.pod), not of "
          + "\(redis.namespace)/broken; nothing was changed\nhint: "), "\(outcome)")
  }

  /// - Returns: How a restore ended with all the rights.
  private func refuseWithoutRights(
    _ user: ClusterUser, _ pod: String
  ) async throws -> BackupTool.Outcome {
    let role = "raibid-restore-stopped"
    let roles = try Roles()
    try await user.redis.kubectl("apply", "--filename=-", input: roles.text)
    let restore = try await user.acting(as: role)
    for right in try roles.rights(of: role) {
      try await roles.remove(right, from: role, of: user)
      expectDenial(of: right, try await restore("restore", "latest", "--yes"))
      #expect(try await user.redis.hold() == "1", "without \(right)")
      #expect(try await user.redis.podID() == pod, "without \(right)")
    }
    try await user.redis.kubectl("apply", "--filename=-", input: roles.text)
    return try await restore("restore", "latest", "--yes")
  }
}
