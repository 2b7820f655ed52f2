import Testing

@testable import Targets

/// What forbids that a StatefulSet is kept from running.
struct HoldingObstacleTests {
  private func obstacles(
    _ files: [String: String] = [:], directory: String? = nil
  ) async throws -> [RestoreObstacle] {
    let cluster = try Queue.cluster(
      ["statefulset-set": Queue.set(), "pods": #"{"items":[\#(Queue.pod())]}"#].merging(files) {
        $1
      })
    return try await Queue.server(cluster).obstaclesToHolding(dataDirectory: directory)
  }

  @Test func `a set of one, or of none, with a claim can be held`() async throws {
    #expect(try await obstacles() == [])
    #expect(try await obstacles(directory: "/data/sub") == [])
    #expect(try await obstacles(["pod-set-0": Queue.pod(Queue.crashing)]) == [])
    #expect(try await obstacles(["statefulset-set": Queue.set(replicas: 0)]) == [])
    let helper = Queue.pod(name: "set-0-restore")
    #expect(try await obstacles(["pods": #"{"items":[\#(helper)]}"#]) == [])
  }

  @Test func `what a scale-down would lose or not reach is an obstacle`() async throws {
    let policy = #""persistentVolumeClaimRetentionPolicy":{"whenScaled":"Delete"},"#
    #expect(
      try await obstacles(["statefulset-set": Queue.set(policy: policy)]) == [
        .claimIsDeleted(controller: "set", policy: "whenScaled")
      ])
    #expect(
      try await obstacles(["statefulset-set": Queue.set(replicas: 0, held: "3")]) == [
        .replicas(controller: "set", count: 3)
      ])
    #expect(
      try await obstacles(directory: "/etc/redis/x") == [
        .dataNotOnClaim(directory: "/etc/redis/x", kind: "configMap")
      ])
    let none = #"{"name":"config","mountPath":"/data"}"#
    #expect(
      try await obstacles(["statefulset-set": Queue.set(mounts: none)]) == [
        .dataNotOnClaim(directory: "/", kind: "container")
      ])
    #expect(
      try await obstacles(["pods": #"{"items":[\#(Queue.pod(name: "other"))]}"#]) == [
        .claimIsShared(claim: "data-set-0", pods: ["other"])
      ])
    #expect(
      try await obstacles(["pod-set-0": Queue.pod(owner: nil)]) == [
        .podWithoutController(pod: "set-0")
      ])
    #expect(
      try await obstacles(["pod-set-0": Queue.pod(owner: "ReplicaSet")]) == [
        .podNameNotKept(controllerKind: "ReplicaSet", controller: "set")
      ])
  }

  @Test func `each right that is missing is an obstacle`() async throws {
    func denied(_ object: String, _ verb: String, _ resource: String) -> RestoreObstacle {
      .forbidden(
        message: "\(object) is forbidden: this account cannot \(verb) resource \"\(resource)\" "
          + "in the namespace \"space\"")
    }
    let helper = #"pods "set-0-restore""#
    #expect(
      try await obstacles(["may": "no"]) == [
        denied(#"statefulsets.apps "set""#, "patch", "statefulsets"),
        denied("pods", "create", "pods"), denied(helper, "get", "pods"),
        denied(helper, "delete", "pods"), denied(helper, "create", "pods/exec"),
      ])
    let text = "error: Error from server (Forbidden): sets"
    #expect(
      try await obstacles(["statefulset-set": text]) == [
        .forbidden(message: "error: (Forbidden): sets")
      ])
  }

  @Test func `kubectl is asked for a part of a pod in its own way`() {
    #expect(
      Right("create", "pods/exec", "a").question == ["create", "pods/a", "--subresource=exec"])
    #expect(Right("create", "pods").question == ["create", "pods"])
    #expect(
      Right("patch", "statefulsets.apps", "a").question == ["patch", "statefulsets.apps/a"])
  }
}
