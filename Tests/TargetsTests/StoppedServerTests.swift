import Testing

@testable import Targets

/// Which server is meant where none runs.
struct StoppedServerTests {
  private func pods(
    _ cluster: FakeCluster, _ choice: KubernetesOptions.PodChoice, container: String? = nil,
    allowsStopped: Bool = true
  ) async throws -> [String] {
    try await Target.kubernetes(
      KubernetesOptions(
        kubectl: "\(cluster.directory)/kubectl", namespace: "space", pod: choice,
        container: container, allowsStopped: allowsStopped)
    ).found.map { "\($0.source.pod ?? "")/\($0.source.container ?? "")/\($0.source.image ?? "")" }
  }

  @Test func `a pod whose server does not run is meant where that is allowed`() async throws {
    let cluster = try Queue.cluster([
      "pod-set-0": Queue.pod(Queue.crashing), "namespace-space": "{}",
      "pods":
        #"{"items":[\#(Queue.pod(Queue.crashing)),\#(Queue.pod(Queue.ended, name: "set-1"))]}"#,
    ])
    #expect(try await pods(cluster, .name("set-0")) == ["set-0/redis/"])
    await #expect(throws: TargetError.podNotRunning(pod: "set-0", reason: "CrashLoopBackOff")) {
      try await pods(cluster, .name("set-0"), allowsStopped: false)
    }
    await #expect(throws: TargetError.podNotRunning(pod: "set-0", reason: "CrashLoopBackOff")) {
      try await pods(cluster, .selector("app=queue"))
    }
  }

  @Test func `who needs a server that runs hears that a restore keeps it from running`()
    async throws
  {
    let cluster = try Queue.cluster([
      "statefulset-set": Queue.set(replicas: 0, held: "1"), "namespace-space": "{}",
      "pods": #"{"items":[]}"#,
      "statefulsets": #"{"items":[\#(Queue.set(replicas: 0, held: "1"))]}"#,
      "selected": "pod/set-0\n",
    ])
    for choice in [
      KubernetesOptions.PodChoice.name("set-0"), .statefulSet("set"), .selector("app=queue"),
    ] {
      await #expect(throws: TargetError.heldByRestore(statefulSet: "set")) {
        try await pods(cluster, choice, allowsStopped: false)
      }
    }
    try cluster.put(Queue.set(replicas: 0), "statefulset-set")
    await #expect(throws: TargetError.podNotFound(namespace: "space", pod: "set-0")) {
      try await pods(cluster, .name("set-0"), allowsStopped: false)
    }
  }

  @Test func `a set without its pod means the pod that it would have`() async throws {
    let cluster = try Queue.cluster([
      "statefulset-set": Queue.set(replicas: 0), "namespace-space": "{}",
      "pods": #"{"items":[]}"#, "statefulsets": #"{"items":[\#(Queue.set())]}"#,
      "selected": "pod/set-0\n",
    ])
    for choice in [
      KubernetesOptions.PodChoice.name("set-0"), .statefulSet("set"), .selector("app=queue"),
    ] {
      #expect(try await pods(cluster, choice) == ["set-0/redis/redis:7"])
      #expect(try await pods(cluster, choice, container: "metrics") == ["set-0/metrics/y"])
    }
    await #expect(throws: TargetError.podNotFound(namespace: "space", pod: "set-1")) {
      try await pods(cluster, .name("set-1"))
    }
    await #expect(
      throws: TargetError.noPod(namespace: "space", that: "belongs to StatefulSet none")
    ) {
      try await pods(cluster, .statefulSet("none"))
    }
    try cluster.put("", "selected")
    await #expect(throws: TargetError.noPod(namespace: "space", that: "matches app=x")) {
      try await pods(cluster, .selector("app=x"))
    }
    try cluster.put(Queue.set(replicas: 2), "statefulset-set")
    await #expect(throws: TargetError.podNotFound(namespace: "space", pod: "set-0")) {
      try await pods(cluster, .name("set-0"))
    }
  }
}
