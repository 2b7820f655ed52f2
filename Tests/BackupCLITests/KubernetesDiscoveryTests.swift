import FoundationEssentials
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  private static let many = "EVAL \"for i = 1, 20000 do redis.call('SET', i, i) end\" 0"

  @Test func `among several pods the primary is found, or a replica that has all that it has`()
    async throws
  {
    try await ReplicatedQueue.with { queue in
      try await queue.cli(0, "SET a 1")
      let ofSet = try await queue.create("--pod", "statefulset/queue")
      #expect(ofSet.source.pod == "queue-0" && ofSet.source.role == "master")
      #expect(ofSet.source.container == "main")
      #expect(ofSet.source.chosen_by == "statefulset/queue")

      // What was acknowledged before the run is in the backup, wherever it is taken.
      try await queue.cli(0, Self.many)
      let ofReplica = try await queue.create("--selector", "app=queue", "--prefer-replica")
      #expect(ofReplica.source.pod == "queue-1" && ofReplica.source.role == "slave")
      #expect(ofReplica.content.keys == 20_001)
      // A Sentinel is none of those that may be meant.
      let told = try await queue.user.tool("create", "-l", "app=queue")
      #expect(told.status == 0 && told.error.isEmpty, "\(told)")
      let named = try await queue.create("--pod", "pod/queue-1", "--container", "main")
      #expect(named.source.pod == "queue-1" && named.source.chosen_by == nil)

      // A replica that has lost its primary is none to rely on.
      try await queue.cli(1, "REPLICAOF 127.0.0.1 1")
      let fallback = try await queue.user.tool(
        "create", "--json", "-l", "app=queue", "--prefer-replica")
      #expect(fallback.status == 0, "\(fallback)")
      #expect(try fallback.json(ReplicatedQueue.Manifest.self).source.pod == "queue-0")
      #expect(
        fallback.error.contains("the primary queue-0 is used, since no replica can be: queue-1: "),
        "\(fallback)")

      // After a failover it is still the same Redis.
      try await queue.cli(1, "REPLICAOF NO ONE")
      try await queue.expect(
        "cannot tell which server is meant: several pods that match app=queue take writes",
        cause: "queue-0: master; queue-1: master")
      let address = try await queue.user.redis.kubectl(
        "get", "pod/queue-1", "-o", "jsonpath={.status.podIP}")
      try await queue.cli(0, "REPLICAOF \(address) 6379")
      let after = try await queue.create("--selector", "app=queue")
      #expect(after.source.pod == "queue-1" && after.source.role == "master")
      let status = try await queue.user.tool("status", "--json")
      #expect(status.output.contains("\"\(queue.user.redis.namespace)/selector/app=queue\""))

      try await queue.cli(1, "REPLICAOF 127.0.0.1 1")
      try await queue.expect(
        "cannot find the primary: no pod that matches app=queue takes writes",
        cause: "queue-0: replica, link ")
      #expect(try queue.user.unfinished() == [])
    }
  }
}

/// A StatefulSet of a primary and a replica, and a user of it.
private struct ReplicatedQueue {
  struct Manifest: Decodable {
    struct Source: Decodable {
      let pod: String
      let container: String
      let role: String
      let chosen_by: String?
    }

    struct Content: Decodable {
      let keys: UInt64
    }

    let source: Source
    let content: Content
  }

  let user: ClusterUser

  static func with(_ body: (ReplicatedQueue) async throws -> Void) async throws {
    try await ClusterRedis.inNamespace { redis in
      try await redis.apply("replicas.yaml")
      for pod in ["queue-0", "queue-1", "watcher"] { try await redis.awaitReady(pod) }
      try await withTemporaryDirectory { home in
        let queue = ReplicatedQueue(user: ClusterUser(redis, home: home))
        try await eventually("the replica follows") {
          try await queue.cli(1, "INFO replication").contains("master_link_status:up")
        }
        try await body(queue)
      }
    }
  }

  @discardableResult
  func cli(_ pod: Int, _ commands: String) async throws -> String {
    try await user.redis.kubectl(
      "exec", "--stdin", "pod/queue-\(pod)", "--container=main", "--", "redis-cli",
      input: commands + "\n")
  }

  func create(_ options: String...) async throws -> Manifest {
    let outcome = try await user.tool.run(["create", "--json"] + options)
    try #require(outcome.status == 0, "\(outcome)")
    return try outcome.json(Manifest.self)
  }

  /// Expects that the server is not found by a restore, which does not try again.
  func expect(_ message: String, cause: String) async throws {
    let outcome = try await user.tool("restore", "latest", "--dry-run", "-l", "app=queue")
    #expect(outcome.status == 69, "\(outcome)")
    #expect(
      outcome.error.hasPrefix("raibid-backup: \(message)\ncause: \(cause)"), "\(outcome)")
    #expect(
      outcome.error.hasSuffix(
        " -n \(user.redis.namespace) get pods --selector app=queue --show-labels\n"),
      "\(outcome)")
  }
}
