import Synchronization
import Testing

@testable import Targets

struct RestartInPlaceTests {
  private static func pod(
    uid: String = "1", restarts: Int = 0, state: String = #"{"running":{}}"#,
    last: String = "{}", policy: String = "Always", pull: String = "IfNotPresent",
    owner: String = #"{"kind":"StatefulSet","name":"set","controller":true}"#,
    volume: String = #""emptyDir":{}"#, lifecycle: String = "{}"
  ) -> String {
    """
    {"metadata":{"name":"pod-0","uid":"\(uid)","labels":{"controller-revision-hash":"set-1"},
    "ownerReferences":[\(owner)]},
    "spec":{"nodeName":"node","restartPolicy":"\(policy)","containers":[{"name":"redis",
    "image":"redis:7.0","imagePullPolicy":"\(pull)","lifecycle":\(lifecycle),"volumeMounts":[{"name":"data","mountPath":"/data"}]}],
    "volumes":[{"name":"data",\(volume)}]},
    "status":{"phase":"Running","containerStatuses":[{"name":"redis","restartCount":\(restarts),
    "imageID":"docker.io/library/redis@sha256:1","state":\(state),"lastState":\(last)}]}}
    """
  }

  private static func node(images: [String], unschedulable: Bool = false) -> String {
    let list = images.map { "{\"names\":[\"\($0)\"]}" }.joined(separator: ",")
    return """
      {"spec":{"unschedulable":\(unschedulable)},
      "status":{"conditions":[{"type":"Ready","status":"True"}],"images":[\(list)]}}
      """
  }

  private func cluster(_ files: [String: String]) throws -> FakeCluster {
    let cluster = try FakeCluster()
    for (name, text) in files { try cluster.put(text, name) }
    return cluster
  }

  @Test func `the server is told to end, and the same pod is waited for`() async throws {
    let ended = #"{"terminated":{"exitCode":0}}"#
    let cluster = try cluster([
      "pod-pod-0.1": Self.pod(restarts: 2), "pod-pod-0.2": Self.pod(restarts: 2),
      "pod-pod-0.3": Self.pod(restarts: 2, state: ended),
      // A back-off before the start is about the ends before.
      "pod-pod-0.4": Self.pod(
        restarts: 2, state: #"{"waiting":{"reason":"CrashLoopBackOff"}}"#, last: ended),
      "pod-pod-0.5": Self.pod(restarts: 3),
    ])
    let stops = Mutex(0)
    try await cluster.server().restart(
      by: .server, processID: 1, stopping: { stops.withLock { $0 += 1 } }, timeout: .seconds(60))
    #expect(stops.withLock { $0 } == 1)
    #expect(try cluster.verbs() == [String](repeating: "get", count: 5))
  }

  @Test func `a server that ends again is not waited for`() async throws {
    let cluster = try cluster([
      "pod-pod-0.1": Self.pod(restarts: 2),
      "pod-pod-0.2": Self.pod(
        restarts: 3, state: #"{"waiting":{"reason":"CrashLoopBackOff"}}"#,
        last: #"{"terminated":{"exitCode":1}}"#),
    ])
    await #expect(
      throws: TargetError.podDidNotComeBack(reason: "CrashLoopBackOff: exited with status 1")
    ) {
      try await cluster.server().restart(
        by: .server, processID: 1, stopping: {}, timeout: .seconds(60))
    }
  }

  private func obstacles(
    _ way: RestartWay, _ files: [String: String], directory: String = "/data"
  ) async throws -> [RestoreObstacle] {
    let all = [
      "pod-pod-0": Self.pod(volume: #""persistentVolumeClaim":{"claimName":"claim"}"#),
      "node-node": Self.node(images: []), "pods": #"{"items":[]}"#,
      "statefulset-set": #"{"spec":{"replicas":1},"status":{"updateRevision":"set-1"}}"#,
    ].merging(files) { $1 }
    let cluster = try cluster(all)
    defer { withExtendedLifetime(cluster) {} }
    return try await cluster.server().obstacles(
      to: way, processID: 1, dataDirectory: directory)
  }

  @Test func `what a pod would lose a container keeps, on any volume`() async throws {
    #expect(
      try await obstacles(.pod, ["pod-pod-0": Self.pod()]) == [
        .dataNotOnClaim(directory: "/data", kind: "emptyDir")
      ])
    #expect(try await obstacles(.server, ["pod-pod-0": Self.pod()]) == [])
    #expect(try await obstacles(.server, ["pod-pod-0": Self.pod(owner: "")]) == [])
    #expect(
      try await obstacles(.server, ["pod-pod-0": Self.pod()], directory: "/tmp") == [
        .dataNotOnClaim(directory: "/tmp", kind: "container")
      ])
    #expect(
      try await obstacles(.server, ["pod-pod-0": Self.pod(policy: "OnFailure")]) == [
        .containerNotRestarted(policy: "OnFailure")
      ])
  }

  @Test func `a pod that could not come back as it is is an obstacle`() async throws {
    let cordoned = ["node-node": Self.node(images: [], unschedulable: true)]
    #expect(try await obstacles(.pod, cordoned) == [.nodeUnschedulable(node: "node")])
    #expect(try await obstacles(.server, cordoned) == [])
    let changed = """
      {"spec":{"replicas":1,"template":{"spec":{"containers":[{"name":"redis","image":"redis:6.2"}]}}},
      "status":{"updateRevision":"set-2"}}
      """
    #expect(
      try await obstacles(.pod, ["statefulset-set": changed]) == [
        .templateChanged(controller: "set", image: "redis:7.0", nextImage: "redis:6.2")
      ])
    let never = Self.pod(pull: "Never", volume: #""persistentVolumeClaim":{"claimName":"claim"}"#)
    #expect(
      try await obstacles(.pod, ["pod-pod-0": never]) == [
        .imageMissing(image: "redis:7.0", node: "node")
      ])
    let listed = Self.node(images: ["docker.io/library/redis:7.0"])
    #expect(try await obstacles(.pod, ["pod-pod-0": never, "node-node": listed]) == [])
  }

  @Test(arguments: [
    (#"{"exec":{"command":["sh","-c","redis-cli SAVE"]}}"#, true),
    (#"{"exec":{"command":["/scripts/prestop.sh"]}}"#, true),
    (#"{"exec":{"command":["sh","-c","sleep 5; redis-cli SAVE"]}}"#, true),
    (#"{"exec":{"command":["sh","-c","sleep 5"]}}"#, false),
    (#"{"exec":{"command":["sleep","5"]}}"#, false),
    (#"{"httpGet":{"path":"/","port":80}}"#, false), (#"{"sleep":{"seconds":5}}"#, false),
  ])
  func `a command that runs before the server is stopped with its pod is an obstacle`(
    hook: String, isObstacle: Bool
  ) async throws {
    let pod = Self.pod(
      volume: #""persistentVolumeClaim":{"claimName":"claim"}"#,
      lifecycle: "{\"preStop\":\(hook)}")
    #expect(
      try await obstacles(.pod, ["pod-pod-0": pod])
        == (isObstacle ? [.preStopHook(container: "redis")] : []))
    #expect(try await obstacles(.server, ["pod-pod-0": pod]) == [])
  }

  @Test func `an image that may have to be pulled is a concern`() async throws {
    func concerns(
      _ way: RestartWay, _ pod: String, _ node: String
    ) async throws -> [RestartConcern] {
      let cluster = try cluster([
        "pod-pod-0": pod, "node-node": node, "statefulset-set": #"{"spec":{}}"#,
      ])
      defer { withExtendedLifetime(cluster) {} }
      return try await cluster.server().concerns(about: way)
    }
    let other = Self.node(images: ["docker.io/library/redis:6.2"])
    #expect(
      try await concerns(.pod, Self.pod(), other) == [
        .imageNotListed(image: "redis:7.0", node: "node")
      ])
    #expect(try await concerns(.server, Self.pod(), other) == [])
    for name in ["docker.io/library/redis:7.0", "docker.io/library/redis@sha256:1", "redis:7.0"] {
      #expect(try await concerns(.pod, Self.pod(), Self.node(images: [name])) == [])
    }
    #expect(
      try await concerns(.pod, Self.pod(), "error: Error from server (Forbidden): nodes")
        == [.imagesNotSeen(image: "redis:7.0")])
    for way in RestartWay.allCases {
      #expect(
        try await concerns(way, Self.pod(pull: "Always"), other) == [
          .imageAlwaysPulled(image: "redis:7.0")
        ])
    }
    let ended = Self.pod(
      restarts: 4, last: #"{"terminated":{"exitCode":1,"finishedAt":"2026-11-24T13:00:00Z"}}"#)
    #expect(
      try await concerns(.server, ended, other) == [
        .endedBefore(restarts: 4, at: "2026-11-24T13:00:00Z")
      ])
  }

  private static func metadata(
    labels: [String: String] = [:], annotations: [String: String] = [:],
    owner: Metadata.Owner? = nil
  ) -> Metadata {
    Metadata(
      name: "set", uid: "1", ownerReferences: owner.map { [$0] }, labels: labels,
      annotations: annotations)
  }

  @Test(
    arguments: [
      (metadata(labels: ["app.kubernetes.io/instance": "x"]), []),
      (
        metadata(
          labels: ["app.kubernetes.io/managed-by": "Helm"],
          annotations: [
            "meta.helm.sh/release-name": "cache", "meta.helm.sh/release-namespace": "shop",
          ]), [.helm(release: "cache", namespace: "shop")]
      ),
      (
        metadata(
          labels: [
            "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "cache",
          ]), [.chart(instance: "cache")]
      ),
      (
        metadata(labels: [
          "kustomize.toolkit.fluxcd.io/name": "apps",
          "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
        ]), [.flux(kind: "kustomization", name: "apps", namespace: "flux-system")]
      ),
      (
        metadata(
          labels: [
            "app.kubernetes.io/managed-by": "Helm", "helm.toolkit.fluxcd.io/name": "cache",
            "helm.toolkit.fluxcd.io/namespace": "shop",
          ], annotations: ["meta.helm.sh/release-name": "cache"]),
        [.flux(kind: "helmrelease", name: "cache", namespace: "shop")]
      ),
      (
        metadata(annotations: ["argocd.argoproj.io/tracking-id": "queue:apps/StatefulSet:ns/set"]),
        [.argo(application: "queue")]
      ),
      (metadata(labels: ["argocd.argoproj.io/instance": "queue"]), [.argo(application: "queue")]),
      (
        metadata(owner: Metadata.Owner(kind: "RedisReplication", name: "r", controller: true)),
        [.operator(kind: "RedisReplication", name: "r")]
      ),
    ] as [(Metadata, [ObjectManager])])
  func `who manages an object is read from its manifest`(
    metadata: Metadata, managers: [ObjectManager]
  ) {
    #expect(ObjectManager.all(metadata) == managers)
  }
}
