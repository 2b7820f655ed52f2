import Testing

@testable import Targets

/// The objects of a small cluster, as kubectl gives them.
private enum JSON {
  static func pod(
    uid: String = "1", owner: String? = #"{"kind":"StatefulSet","name":"set","controller":true}"#,
    volume: String = #""persistentVolumeClaim":{"claimName":"claim"}"#,
    status: String = running, deleted: Bool = false, name: String = "pod-0",
    containers: String = container("redis")
  ) -> String {
    """
    {"metadata":{"name":"\(name)","uid":"\(uid)","ownerReferences":[\(owner ?? "")]
    \(deleted ? #","deletionTimestamp":"2026-01-01T00:00:00Z""# : "")},
    "spec":{"nodeName":"node","containers":[\(containers)],
    "volumes":[{"name":"data",\(volume)},{"name":"config","configMap":{"name":"c"}}]},
    "status":\(status)}
    """
  }

  static func container(_ name: String) -> String {
    """
    {"name":"\(name)","image":"image:1","resources":{"limits":{"memory":"512Mi"}},"volumeMounts":
    [{"name":"config","mountPath":"/"},{"name":"data","mountPath":"/data"}]}
    """
  }

  static let running = status(#"{"running":{"startedAt":"x"}}"#)

  static func status(
    _ state: String, phase: String = "Running", last: String = "{}", ready: Bool = true
  ) -> String {
    """
    {"phase":"\(phase)","conditions":[{"type":"Ready","status":"\(ready ? "True" : "False")"}],
    "containerStatuses":[{"name":"redis","state":\(state),"lastState":\(last)}]}
    """
  }

  static let pending = """
    {"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",
    "reason":"Unschedulable","message":"0/1 nodes are available"}]}
    """

  static let node = #"{"status":{"conditions":[{"type":"Ready","status":"True"}]}}"#
}

struct PodServerTests {
  private func cluster(_ files: [String: String]) throws -> FakeCluster {
    let cluster = try FakeCluster()
    for (name, text) in files { try cluster.put(text, name) }
    return cluster
  }

  private func targets(
    _ cluster: FakeCluster, container: String? = nil,
    pod: KubernetesOptions.PodChoice = .name("pod-0")
  ) async throws -> [Target] {
    try await Target.kubernetes(
      KubernetesOptions(
        kubectl: "\(cluster.directory)/kubectl", namespace: "space", pod: pod,
        container: container)
    ).found
  }

  private func target(
    _ cluster: FakeCluster, container: String? = nil
  ) async throws -> Target {
    let targets = try await targets(cluster, container: container)
    #expect(targets.count == 1)
    return try #require(targets.first)
  }

  @Test func `a target names what it found`() async throws {
    let cluster = try cluster(["pod-pod-0": JSON.pod()])
    let target = try await target(cluster)
    #expect(
      target.source
        == TargetSource(
          target: .kubernetes, context: "fake", namespace: "space", pod: "pod-0",
          container: "redis", image: "image:1"))
    #expect(target.control.memoryLimitByteCount == 512 << 20)
  }

  @Test(arguments: [
    (["a", "redis", "valkey"], "redis"), (["valkey", "b"], "valkey"), (["one"], "one"),
  ])
  func `the container is redis, valkey or the only one`(
    names: [String], chosen: String
  ) async throws {
    let statuses = names.map { #"{"name":"\#($0)","state":{"running":{}}}"# }
    let cluster = try cluster([
      "pod-pod-0": JSON.pod(
        status: #"{"phase":"Running","containerStatuses":[\#(statuses.joined(separator: ","))]}"#,
        containers: names.map(JSON.container).joined(separator: ","))
    ])
    #expect(try await target(cluster).source.container == chosen)
    #expect(try await target(cluster, container: names[0]).source.container == names[0])
    await #expect(
      throws: TargetError.containerNotFound(container: "none", pod: "pod-0", available: names)
    ) { try await target(cluster, container: "none") }
  }

  @Test func `several containers without a server are listed`() async throws {
    let cluster = try cluster([
      "pod-pod-0": JSON.pod(containers: "\(JSON.container("a")),\(JSON.container("b"))"),
      "control":
        #"case "$*" in *exec*) fail='exec: "sh": executable file not found in $PATH';; esac"#,
    ])
    await #expect(
      throws: TargetError.containerNotFound(container: nil, pod: "pod-0", available: ["a", "b"])
    ) { try await target(cluster) }
  }

  @Test(arguments: [
    (JSON.pod(deleted: true), "terminating"),
    (JSON.pod(status: JSON.pending), "Pending"),
    (
      JSON.pod(
        status: JSON.status(#"{"waiting":{"reason":"CrashLoopBackOff"}}"#)), "CrashLoopBackOff"
    ),
    (JSON.pod(status: JSON.status(#"{"terminated":{"reason":"OOMKilled"}}"#)), "OOMKilled"),
  ])
  func `a pod that does not run says in what state it is`(
    pod: String, reason: String
  ) async throws {
    let cluster = try cluster(["pod-pod-0": pod])
    await #expect(throws: TargetError.podNotRunning(pod: "pod-0", reason: reason)) {
      try await target(cluster)
    }
  }

  @Test func `a selector means all pods that run, a StatefulSet those that are its own`()
    async throws
  {
    let other = #"{"kind":"StatefulSet","name":"other","controller":true}"#
    let pods = [
      JSON.pod(name: "b"), JSON.pod(name: "a"), JSON.pod(deleted: true, name: "c"),
      JSON.pod(status: JSON.pending, name: "d"), JSON.pod(owner: other, name: "e"),
    ]
    let cluster = try cluster([
      "pods": #"{"items":[\#(pods.joined(separator: ","))]}"#, "namespace-space": "{}",
    ])
    let selected = try await targets(cluster, pod: .selector("x=y")).map(\.source)
    #expect(selected.map(\.pod) == ["a", "b", "e"])
    #expect(Set(selected.map(\.chosenBy)) == ["selector/x=y"])
    let own = try await targets(cluster, pod: .statefulSet("set")).map(\.source)
    #expect(own.map(\.pod) == ["a", "b"])
    #expect(Set(own.map(\.chosenBy)) == ["statefulset/set"])
    await #expect(
      throws: TargetError.noPod(namespace: "space", that: "belongs to StatefulSet none")
    ) { try await targets(cluster, pod: .statefulSet("none")) }
    try cluster.put(#"{"items":[\#(JSON.pod(status: JSON.pending, name: "d"))]}"#, "pods")
    await #expect(throws: TargetError.podNotRunning(pod: "d", reason: "Pending")) {
      try await targets(cluster, pod: .selector("x=y"))
    }
  }

  @Test(arguments: [true, false])
  func `inside a cluster its pods are reached by the addresses that they have now`(
    hasKubeconfig: Bool
  ) async throws {
    func pod(_ address: String) -> String {
      JSON.pod(
        status: #"{"phase":"Running","podIP":"\#(address)","#
          + #""containerStatuses":[{"name":"redis","state":{"running":{}}}]}"#)
    }
    let cluster = try cluster(["pod-pod-0": pod("10.0.0.7")])
    if !hasKubeconfig {
      try cluster.set(#"case "$*" in *current-context*) fail='current-context is not set';; esac"#)
    }
    let targets = try await Target.kubernetes(
      KubernetesOptions(
        kubectl: "\(cluster.directory)/kubectl", namespace: "space", pod: .name("pod-0"),
        port: 7000, isInsideCluster: true))
    let target = try #require(targets.found.first)
    try cluster.put(pod("fd00::8"), "pod-pod-0")
    let address = try await target.control.withAddress { $0 }
    #expect(address.host == (hasKubeconfig ? "127.0.0.1" : "fd00::8"))
    #expect(address.port == (hasKubeconfig ? 40123 : 7000))
    // kubectl overlooks the pod's own account when it is given a timeout.
    #expect(try !cluster.text("calls").contains("--request-timeout"))
  }

  @Test func `a selector that is none is told from one that matches nothing`() async throws {
    let text =
      #"error (BadRequest): Unable to find "pods" that match label selector "a b": found 'b'"#
    let cluster = try cluster(["pods": text])
    await #expect(throws: TargetError.notASelector(selector: "a b", message: text)) {
      try await targets(cluster, pod: .selector("a b"))
    }
  }

  @Test func `a missing namespace is told from a missing pod`() async throws {
    let cluster = try cluster([:])
    await #expect(throws: TargetError.namespaceNotFound(namespace: "space")) {
      try await target(cluster)
    }
    try cluster.put("{}", "namespace-space")
    await #expect(throws: TargetError.podNotFound(namespace: "space", pod: "pod-0")) {
      try await target(cluster)
    }
    try cluster.put("error: not allowed", "namespace-space")
    await #expect(throws: TargetError.podNotFound(namespace: "space", pod: "pod-0")) {
      try await target(cluster)
    }
  }

  @Test func `a restart waits for another pod whose container runs`() async throws {
    let cluster = try cluster([
      "pod-pod-0.1": JSON.pod(), "pod-pod-0.2": JSON.pod(deleted: true),
      "pod-pod-0.3": "error: The connection to the server x was refused",
      "pod-pod-0.4": #"error (NotFound): pods "pod-0" not found"#,
      "pod-pod-0.5": JSON.pod(uid: "2", status: JSON.pending),
      "pod-pod-0.6": JSON.pod(
        uid: "2", status: JSON.status(#"{"waiting":{"reason":"ContainerCreating"}}"#)),
      "pod-pod-0.7": JSON.pod(uid: "2"),
    ])
    try await cluster.server().restart(
      processID: 1, stopping: { Issue.record("stop was called") }, timeout: .seconds(60))
    #expect(
      try cluster.verbs() == ["get", "delete"] + [String](repeating: "get", count: 6))
  }

  @Test func `a pod that does not change is given up`() async throws {
    let cluster = try cluster(["pod-pod-0": JSON.pod()])
    await #expect(throws: TargetError.podDidNotComeBack(reason: "not deleted")) {
      try await cluster.server().restart(
        processID: 1, stopping: {}, timeout: .milliseconds(700))
    }
  }

  @Test(arguments: [
    (
      #"{"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}}"#, "{}",
      "ImagePullBackOff: Back-off pulling image"
    ),
    (
      #"{"waiting":{"reason":"CrashLoopBackOff"}}"#,
      #"{"terminated":{"exitCode":3,"reason":"Error"}}"#,
      "CrashLoopBackOff: exited with status 3"
    ),
    (
      #"{"waiting":{"reason":"PodInitializing"}}}],"initContainerStatuses":[{"name":"prepare","state": {"waiting":{"reason":"CrashLoopBackOff"}}"#,
      "{}", "init container prepare: CrashLoopBackOff"
    ),
  ])
  func `what will not come right ends the wait`(
    state: String, last: String, reason: String
  ) async throws {
    let cluster = try cluster([
      "pod-pod-0.1": JSON.pod(), "pod-pod-0.2": JSON.pod(),
      "pod-pod-0.3": JSON.pod(uid: "2", status: JSON.status(state, last: last)),
    ])
    await #expect(throws: TargetError.podDidNotComeBack(reason: reason)) {
      try await cluster.server().restart(processID: 1, stopping: {}, timeout: .seconds(60))
    }
  }

  @Test func `a Secret that is not there yet does not end the wait`() async throws {
    let late = #"{"waiting":{"reason":"CreateContainerConfigError","message":"secret cache"}}"#
    let cluster = try cluster([
      "pod-pod-0.1": JSON.pod(), "pod-pod-0.2": JSON.pod(),
      "pod-pod-0.3": JSON.pod(uid: "2", status: JSON.status(late)),
      "pod-pod-0.4": JSON.pod(uid: "2"),
    ])
    try await cluster.server().restart(processID: 1, stopping: {}, timeout: .seconds(60))
  }

  @Test func `a pod is waited for until it is ready`() async throws {
    let cluster = try cluster([
      "pod-pod-0.1": JSON.pod(status: JSON.status(#"{"running":{}}"#, ready: false)),
      "pod-pod-0.2": JSON.pod(),
    ])
    try await cluster.server().waitUntilReady(timeout: .seconds(60))
    #expect(try cluster.verbs() == ["get", "get"])
  }

  @Test func `obstacles are facts`() async throws {
    let files = [
      "pod-pod-0": JSON.pod(), "node-node": JSON.node,
      "pods": #"{"items":[\#(JSON.pod())]}"#, "statefulset-set": #"{"spec":{"replicas":1}}"#,
    ]
    let obstacles = { (changes: [String: String], directory: String) in
      let cluster = try self.cluster(files.merging(changes) { $1 })
      defer { withExtendedLifetime(cluster) {} }
      return try await cluster.server().obstacles(processID: 1, dataDirectory: directory)
    }
    #expect(try await obstacles([:], "/data") == [])
    #expect(try await obstacles([:], "/data/sub") == [])
    #expect(
      try await obstacles([:], "/database") == [
        .dataNotOnClaim(directory: "/database", kind: "configMap")
      ])
    #expect(
      try await obstacles(["pod-pod-0": JSON.pod(owner: nil)], "/data") == [
        .podWithoutController(pod: "pod-0")
      ])
    #expect(
      try await obstacles(
        [
          "pod-pod-0": JSON.pod(
            owner: #"{"kind":"ReplicaSet","name":"rs","controller":true}"#,
            volume: #""hostPath":{"path":"/x"}"#)
        ], "/data") == [
          .podNameNotKept(controllerKind: "ReplicaSet", controller: "rs"),
          .dataNotOnClaim(directory: "/data", kind: "hostPath"),
        ])
    #expect(
      try await obstacles(
        [
          "statefulset-set": """
          {"spec":{"replicas":2,"persistentVolumeClaimRetentionPolicy":
          {"whenDeleted":"Delete","whenScaled":"Delete"}}}
          """
        ], "/data") == [
          .claimIsDeleted(controller: "set", policy: "whenDeleted"),
          .claimIsDeleted(controller: "set", policy: "whenScaled"),
          .replicas(controller: "set", count: 2),
        ])
    let peer = JSON.pod(uid: "9", name: "peer")
    #expect(
      try await obstacles(["pods": #"{"items":[\#(JSON.pod()),\#(peer)]}"#], "/data") == [
        .claimIsShared(claim: "claim", pods: ["peer"])
      ])
    #expect(
      try await obstacles(
        ["node-node": #"{"status":{"conditions":[{"type":"Ready","status":"Unknown"}]}}"#], "/data")
        == [.nodeNotReady(node: "node")])
    #expect(
      try await obstacles(
        [
          "node-node": "error: Error from server (Forbidden): nodes",
          "pods": "error: Error from server (Forbidden): pods",
        ], "/data") == [.forbidden(message: "error: (Forbidden): pods")])
    #expect(
      try await obstacles(["may": "no"], "/data") == [
        .forbidden(
          message: #"pods "pod-0" is forbidden: this account cannot delete resource "pods" in the "#
            + #"namespace "space""#)
      ])
  }

  @Test(
    arguments: [
      ("512Mi", 512 << 20), ("1Gi", 1 << 30), ("1.5Gi", 3 << 29), ("500M", 500_000_000),
      ("1e9", 1_000_000_000), ("1E", 1_000_000_000_000_000_000), ("128974848", 128_974_848),
      ("400000m", 400), ("2k", 2000), ("", nil), ("Mi", nil), ("x", nil), ("-1", nil),
      ("1e400", nil), ("nan", nil), ("100E", nil),
    ] as [(String, UInt64?)])
  func `quantities are bytes`(text: String, byteCount: UInt64?) {
    #expect(Quantity.byteCount(text) == byteCount)
  }
}
