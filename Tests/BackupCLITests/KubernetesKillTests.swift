import Glibc
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  // Each case takes most of a minute: the two ways share the steps between them.
  @Test(arguments: [
    "copying the backup to the volume", "keeping the old files", "restarting the server",
    "removing the old files",
  ])
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

  @Test(arguments: [
    "taking a safety backup", "swapping", "waiting for the server to load", "comparing the data",
  ])
  func `a killed restore is undone by rolling it back`(step: String) async throws {
    try await ClusterUser.with { user in
      let (_, wreck) = try await user.backUpAndWreck()
      let killed = try await user.run("restore", "latest", "--yes", sending: SIGKILL, at: step)
      #expect(killed.status == 128 + SIGKILL, "\(killed)")

      let outcome = try await user.tool("restore", "--rollback", "--yes")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try await user.redis.picture() == wreck)
      #expect(try await user.redis.acceptsWrites())
      #expect(try await user.leftovers() == [])
      try await user.redis.restart()
      #expect(try await user.redis.picture() == wreck)
    }
  }
}
