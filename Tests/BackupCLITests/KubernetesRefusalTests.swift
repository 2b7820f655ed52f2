import FoundationEssentials
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  @Test func `what would lose data is refused with nothing touched`() async throws {
    try await ClusterUser.with { user in
      let redis = user.redis
      let (backup, wreck) = try await user.backUpAndWreck()
      try #require(backup != wreck)
      let pod = try await redis.podID()

      func refused(
        _ status: Int32, _ fact: String, hint: String, _ options: String...
      ) async throws {
        let outcome = try await user.tool.run(["restore", "latest", "--yes"] + options)
        #expect(outcome.status == status, "\(outcome)")
        #expect(outcome.error.contains(fact), "\(outcome)")
        #expect(outcome.error.contains("nothing was changed"), "\(outcome)")
        #expect(outcome.error.contains("\nhint: ") && outcome.error.contains(hint), "\(outcome)")
        #expect(try await redis.picture() == wreck)
        #expect(try await redis.acceptsWrites())
        #expect(try await redis.podID() == pod)
        #expect(try await user.leftovers() == [])
      }

      try await redis.cli("CONFIG SET appendonly no")
      try await refused(
        76, "appendonly is \"no\" now, but the next start will read \"yes\"",
        hint: "CONFIG REWRITE")
      try await redis.cli("CONFIG SET appendonly yes")
      try await eventually("the append-only file is whole") {
        try await redis.cli("INFO persistence").contains("aof_rewrite_in_progress:0")
      }

      let replica = "redis-server --port 7000 --dir /tmp --replicaof 127.0.0.1 6379"
      try await redis.shell("\(replica) --masterauth \"$REDIS_PASSWORD\" --daemonize yes")
      try await eventually("a replica is connected") {
        try await redis.cli("INFO replication").contains("connected_slaves:1")
      }
      try await refused(76, "a replica is connected", hint: "INFO replication")
      try await redis.shell("redis-cli -p 7000 SHUTDOWN NOSAVE")
      try await eventually("no replica is connected") {
        try await redis.cli("INFO replication").contains("connected_slaves:0")
      }

      // The second pod need not run; that it is wanted is enough.
      try await redis.kubectl("scale", "statefulset/raibid-redis-master", "--replicas=2")
      try await refused(
        76, "raibid-redis-master has 2 replicas", hint: "get statefulset,pod,pvc")
      try await redis.kubectl("scale", "statefulset/raibid-redis-master", "--replicas=1")

      // One that is not scheduled is enough: it would mount the claim as soon as it is.
      try await redis.apply("sharing.yaml")
      try await refused(
        76, "claim redis-data-raibid-redis-master-0 is used by sharing too",
        hint: "get statefulset,pod,pvc")
      try await redis.kubectl("delete", "pod/sharing", "--wait=true")

      // A change that waits for the next pod.
      try await redis.kubectl(
        "patch", "statefulset/raibid-redis-master", "--patch",
        """
        {"spec":{"updateStrategy":{"type":"OnDelete","rollingUpdate":null},
        "template":{"metadata":{"annotations":{"changed":"yes"}}}}}
        """)
      try await eventually("the change is known") {
        let revisions = try await redis.kubectl(
          "get", "statefulset/raibid-redis-master", "-o",
          "jsonpath={.status.currentRevision} {.status.updateRevision}")
        let words = revisions.split(separator: " ")
        return words.count == 2 && words[0] != words[1]
      }
      try await refused(
        76, "the next pod of raibid-redis-master would be made from a template that has changed",
        hint: "--restart server")
      let inPlace = try await user.tool("restore", "latest", "--restart", "server", "--dry-run")
      #expect(inPlace.status == 0, "\(inPlace)")

      let manifest = user.archives + "/" + (try #require(try user.archiveFiles().first))
      let text = try String(contentsOfFile: manifest, encoding: .utf8)
      try text.replacing(redis.namespace, with: "another").write(
        toFile: manifest, atomically: false, encoding: .utf8)
      try await refused(
        78, "the archive is of another/raibid-redis-master-0",
        hint: "--from-other-source", "--restart", "server")
      let wanted = try await user.tool(
        "restore", "latest", "--from-other-source", "--dry-run", "--restart", "server")
      #expect(wanted.status == 0, "\(wanted)")
    }
  }

  @Test(arguments: [
    ("bare", "pod bare has no controller that would start it again"),
    (
      "fleeting-0",
      "/data is not on a persistent volume claim but on emptyDir, and is lost with the pod"
    ),
  ])
  func `a pod that would not come back with its data is left alone`(
    pod: String, fact: String
  ) async throws {
    try await ClusterRedis.inNamespace { redis in
      try await redis.apply("unfit.yaml")
      try await redis.awaitReady(pod)
      try await withTemporaryDirectory { home in
        try await refuse(ClusterUser(redis, home: home), pod, fact)
      }
    }
  }

  private func refuse(_ user: ClusterUser, _ pod: String, _ fact: String) async throws {
    func ask(_ words: String...) async throws -> String {
      try await user.redis.kubectl(
        "exec", "--stdin", "pod/\(pod)", "--", "redis-cli",
        input: words.joined(separator: " ") + "\n")
    }
    _ = try await ask("SET", "a", "1")
    let created = try await user.tool("create", "--pod", pod)
    try #require(created.status == 0, "\(created)")
    _ = try await ask("SET", "a", "2")
    let outcome = try await user.tool("restore", "latest", "--yes", "--pod", pod)
    #expect(outcome.status == 76, "\(outcome)")
    #expect(outcome.error.contains(fact), "\(outcome)")
    #expect(try await ask("GET", "a") == "2")
    #expect(try await ask("SET", "a", "3") == "OK")
    #expect(try user.unfinished() == [])
  }
}
