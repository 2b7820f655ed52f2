import FoundationEssentials
import TestSupport
import Testing

/// How a dump gets out of a real pod.
extension KubernetesEndToEndTests {
  private struct Document: Decodable {
    struct Save: Decodable {
      let via: String
    }

    struct Content: Decodable {
      let keys: Int
    }

    let save: Save
    let content: Content
  }

  @Test(arguments: [
    (ClusterRedis.Image.redis70, "auto --level 0", "cp"), (.redis70, "auto", "exec"),
    (.redis70WithoutTar, "auto --level 0", "exec"), (.redis70, "exec", "exec"),
    (.redis70WithoutTar, "replication", "replication"),
  ])
  func `a dump comes by the way that was chosen, or the best that there is`(
    image: ClusterRedis.Image, chosen: String, taken: String
  ) async throws {
    try await ClusterUser.with(image) { user in
      // More than a tunnel holds: nothing else gets through while nobody reads it.
      try await user.redis.inflate()
      let outcome = try await user.tool.run(
        ["create", "--json", "--via"] + chosen.split(separator: " ").map(String.init))
      try #require(outcome.status == 0, "\(outcome)")
      #expect(outcome.error == "")
      let document = try outcome.json(Document.self)
      #expect(document.save.via == taken)
      let keys = try await user.redis.cli("DBSIZE")
      #expect(keys == "\(document.content.keys - 2)")
      #expect(try await user.leftovers() == [])
    }
  }

  @Test func `neither tools nor a file that can be written are needed`() async throws {
    try await ClusterUser.with { user in
      try await user.redis.apply("bare.yaml")
      try await user.redis.awaitReady("bare")
      for key in ["a", "b"] {
        // The client by its path: there is nothing else to run there.
        try await user.redis.kubectl(
          "exec", "--stdin", "pod/bare", "--", "/bin/sh", "-c",
          "REDISCLI_AUTH=$REDIS_PASSWORD exec /usr/bin/redis-cli set \(key) 1")
      }
      let outcome = try await user.tool("create", "--json", "--verbose", "--pod", "bare")
      try #require(outcome.status == 0, "\(outcome)")
      #expect(outcome.error.contains("over the replication stream, since its file cannot be read"))
      let document = try outcome.json(Document.self)
      #expect(document.save.via == "replication")
      #expect(document.content.keys == 2)
      #expect(try await user.tool("verify", "--all").status == 0)
      for way in ["cp", "exec"] {
        let refused = try await user.tool("create", "--pod", "bare", "--via", way)
        #expect(refused.status == 76, "\(refused)")
        #expect(refused.error.contains("--via replication"), "\(refused)")
      }
    }
  }

  @Test func `a volume that is read-only has no file to copy`() async throws {
    let lines = [
      "dir /data": "dir /etc/redis", "appendonly yes": "appendonly no", "save 900 1": "save \"\"",
    ]
    try await ClusterUser.with(replacing: lines) { user in
      let outcome = try await user.tool("create", "--json")
      try #require(outcome.status == 0, "\(outcome)")
      #expect(try outcome.json(Document.self).save.via == "replication")
    }
  }

  @Test(arguments: ["cp", "exec", "replication"])
  func `a container that dies while its dump is copied is backed up when it is back`(
    way: String
  ) async throws {
    try await ClusterUser.with { user in
      // A port-forward takes a dump of this size faster than a pod can be stopped: there it dies before.
      try await user.redis.inflate()
      // What it does not have again after its start would not be backed up.
      try await user.redis.cli("BGREWRITEAOF")
      try await eventually("the append-only file has all keys") {
        let status = try await user.redis.cli("INFO persistence")
        return ["in_progress", "scheduled"].allSatisfy { status.contains("aof_rewrite_\($0):0") }
      }
      try await user.redis.cli("CONFIG SET repl-diskless-sync-delay 30")
      let outcome = try await user.tool.run(
        ["create", "--json", "--verbose", "--via", way, "--limit-rate", "8M"]
      ) { processID in
        try await eventually("the dump is copied, or waited for") {
          if way == "replication" {
            return try await user.redis.cli("INFO replication").contains("connected_slaves:1")
          }
          return try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
            .contains("copying the dump")
        }
        // Its end takes the answer with it.
        do { try await user.redis.cli("SHUTDOWN NOSAVE") } catch is ClusterRedis.Refused {}
      }
      #expect(outcome.status == 0, "\(outcome)")
      #expect(outcome.error.contains("; trying again in "), "\(outcome)")
      #expect(try await user.tool("verify", "--all").status == 0)
      #expect(try await user.leftovers() == [])
    }
  }

  @Test func `a pod that is deleted while its dump is copied leaves an archive or nothing`()
    async throws
  {
    try await ClusterUser.with { user in
      try await user.redis.inflate()
      let outcome = try await user.tool.run(
        ["create", "--verbose", "--limit-rate", "8M"]
      ) { processID in
        try await eventually("the dump is copied") {
          try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
            .contains("copying the dump")
        }
        try await user.redis.kubectl("delete", "pod/\(ClusterRedis.pod)", "--wait=false")
      }
      // The pod may be back within the time for tries, or not.
      #expect([0, 69].contains(outcome.status), "\(outcome)")
      #expect(outcome.error.contains("; trying again in "), "\(outcome)")
      #expect(try user.archiveFiles().count == (outcome.status == 0 ? 3 : 0))
      try await user.redis.awaitReady()
      #expect(try await user.leftovers() == [])
    }
  }
}
