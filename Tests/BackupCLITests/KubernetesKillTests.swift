import Glibc
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  /// Where a restore is killed, in its order.
  static let steps = [
    "copying the backup to the volume", "taking a safety backup", "keeping the old files",
    "swapping", "restarting the server", "waiting for the server to load", "comparing the data",
    "removing the old files",
  ]

  @Test(arguments: steps)
  func `a killed restore is finished by the same command`(step: String) async throws {
    try await ClusterUser.with { user in
      let (backup, _) = try await user.backUpAndWreck()
      let killed = try await user.run("restore", "latest", "--yes", sending: SIGKILL, at: step)
      #expect(killed.status == 128 + SIGKILL, "\(killed)")
      try await eventually("its children are gone") { try user.processes().isEmpty }

      let outcome = try await user.tool("restore", "latest", "--yes")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try await user.redis.picture() == backup)
      #expect(try await user.redis.acceptsWrites())
      #expect(try await user.leftovers() == [])
      try await user.redis.restart()
      #expect(try await user.redis.picture() == backup)
    }
  }

  @Test(arguments: steps)
  func `a killed restore is undone by rolling it back`(step: String) async throws {
    try await ClusterUser.with { user in
      let (backup, wreck) = try await user.backUpAndWreck()
      let killed = try await user.run("restore", "latest", "--yes", sending: SIGKILL, at: step)
      #expect(killed.status == 128 + SIGKILL, "\(killed)")

      let outcome = try await user.tool("restore", "--rollback", "--yes")
      #expect(outcome.status == 0, "\(outcome)")
      // Once writes are accepted again there is no way back.
      let expected = step == "removing the old files" ? backup : wreck
      #expect(try await user.redis.picture() == expected)
      #expect(try await user.redis.acceptsWrites())
      #expect(try await user.leftovers() == [])
      try await user.redis.restart()
      #expect(try await user.redis.picture() == expected)
    }
  }
}
