import FoundationEssentials
import Glibc
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  /// Runs a body with the pod whose data is on an `emptyDir`, as user of it.
  private func withFleeting(
    _ body: (ClusterUser, _ ask: (String) async throws -> String) async throws -> Void
  ) async throws {
    try await ClusterRedis.inNamespace { redis in
      try await redis.apply("unfit.yaml")
      try await redis.awaitReady("fleeting-0")
      try await withTemporaryDirectory { home in
        var user = ClusterUser(redis, home: home)
        user.tool.options += ["--pod", "fleeting-0"]
        try await body(user) { commands in
          try await redis.kubectl(
            "exec", "--stdin", "pod/fleeting-0", "--", "redis-cli", input: commands + "\n")
        }
      }
    }
  }

  private func podID(_ user: ClusterUser) async throws -> String {
    try await user.redis.kubectl("get", "pod/fleeting-0", "-o", "jsonpath={.metadata.uid}")
  }

  @Test func `a server whose pod would lose its volume is restarted in it`() async throws {
    try await withFleeting { user, ask in
      _ = try await ask(Queue.filling())
      let backup = try await Queue.picture(of: ask)
      #expect(try await user.tool("create").status == 0)
      _ = try await ask(Queue.accident)
      let pod = try await podID(user)
      let refused = try await user.tool("restore", "latest", "--yes")
      #expect(
        refused.status == 76 && refused.error.contains("--restart server"), "\(refused)")
      try await user.redis.kubectl(
        "label", "statefulset/fleeting", "kustomize.toolkit.fluxcd.io/name=apps",
        "kustomize.toolkit.fluxcd.io/namespace=flux-system")
      let plan = try await user.tool("restore", "latest", "--dry-run", "--restart", "server")
      #expect(plan.output.contains("flux suspend kustomization apps -n flux-system"), "\(plan)")

      // The second time the kubelet waits before it starts the container.
      for _ in 1...2 {
        let restored = try await user.tool("restore", "latest", "--yes", "--restart", "server")
        try #require(restored.status == 0, "\(restored)")
        #expect(try await Queue.picture(of: ask) == backup)
        #expect(try await ask("SET after 1") == "OK")
        #expect(try await podID(user) == pod)
        _ = try await ask(Queue.accident)
      }
      #expect(try user.unfinished() == [])
    }
  }

  @Test func `a killed restore remembers that the pod must not be deleted`() async throws {
    try await withFleeting { user, ask in
      _ = try await ask(Queue.filling())
      let backup = try await Queue.picture(of: ask)
      #expect(try await user.tool("create").status == 0)
      _ = try await ask(Queue.accident)
      let pod = try await podID(user)
      let killed = try await user.run(
        "restore", "latest", "--yes", "--restart", "server", sending: SIGKILL,
        at: "confirming the swap")
      #expect(killed.status == 137, "\(killed)")
      let resumed = try await user.tool("restore", "--resume", "--yes")
      #expect(resumed.status == 0, "\(resumed)")
      #expect(resumed.output.contains("stop the server (SHUTDOWN NOSAVE)"), "\(resumed)")
      #expect(try await Queue.picture(of: ask) == backup)
      #expect(try await podID(user) == pod)
    }
  }
}
