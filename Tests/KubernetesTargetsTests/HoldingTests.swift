import Targets
import Testing

/// A server that does not run: its files are reached by another pod, and it comes back as it was.
@Suite(
  .serialized, StoppedClusterTrait(),
  .enabled(
    if: Cluster.kubeconfig != nil, "RAIBID_TEST_KUBECONFIG names no kubeconfig of a cluster"))
struct HoldingTests {
  private let pod = "pod/raibid-redis-master-0"
  private let helper = "pod/raibid-redis-master-0-restore"
  private let patience = Duration.seconds(60)

  @Test func `a server that ends over a broken append-only file is mended from another pod`()
    async throws
  {
    try await breakServer()
    try await Cluster.withKubectl(
      as: "raibid-restore-stopped", namespace: StoppedCluster.namespace
    ) { kubectl in
      let server = StoppedCluster.server(kubectl: kubectl)
      let outage = try await server.outage(dataDirectory: nil, timeout: .seconds(120))
      guard case .crashing("raibid-redis-master-0", let reason)? = outage else {
        Issue.record("outage: \(String(describing: outage))")
        return
      }
      #expect(reason.hasPrefix("CrashLoopBackOff: exited with status 1: "))
      try await expectTarget(image: "localhost/redis:7.0")
      #expect(try await server.obstaclesToHolding(dataDirectory: nil) == [])
      #expect(try await server.obstaclesToHolding(dataDirectory: "/data") == [])

      var files = try await server.hold(dataDirectory: nil, stopping: nil, timeout: patience)
      try await expectHold(files)
      let first = try await uid(helper)
      // As a run does that comes after one that was killed.
      #expect(
        try await server.outage(dataDirectory: nil, timeout: patience)
          == .scaledDown(controller: "raibid-redis-master", replicas: 1))
      try await expectTarget(image: "localhost/redis:7.0")
      #expect(try await server.obstaclesToHolding(dataDirectory: nil) == [])
      files = try await server.hold(dataDirectory: "/data", stopping: nil, timeout: patience)
      try await expectHold(files)
      #expect(try await uid(helper) != first)
      try await server.confirmHold(dataDirectory: "/data")

      try await removeBrokenFile(files.volume)
      try await server.release(startsServer: false, timeout: patience)
      try await server.start(timeout: patience)
      try await server.waitUntilReady(timeout: patience)
      try await server.release(startsServer: true, timeout: patience)
    }
    #expect(try await StoppedCluster.scale() == "1/")
    #expect(try await StoppedCluster.pods() == [pod])
    #expect(try await StoppedCluster.shell("redis-cli get kept") == "\n")
  }

  @Test func `a set that somebody has scaled down stays so, unless its server shall run`()
    async throws
  {
    let server = StoppedCluster.server()
    try await StoppedCluster.scale(to: 0)
    #expect(
      try await server.outage(dataDirectory: nil, timeout: .zero)
        == .scaledDown(controller: "raibid-redis-master", replicas: nil))
    try await expectTarget(image: "localhost/redis:7.0")
    _ = try await server.hold(dataDirectory: "/data", stopping: nil, timeout: patience)
    #expect(try await StoppedCluster.scale() == "0/0")
    // Who scales it up meanwhile has a server beside the helper.
    try await StoppedCluster.scale(to: 1)
    await #expect(throws: TargetError.serverRuns("pod raibid-redis-master-0")) {
      try await server.confirmHold(dataDirectory: "/data")
    }
    try await StoppedCluster.scale(to: 0)
    try await server.release(startsServer: false, timeout: patience)
    #expect(try await StoppedCluster.scale() == "0/")
    #expect(try await StoppedCluster.pods() == [])
    try await server.release(startsServer: true, timeout: patience)
    #expect(try await StoppedCluster.scale() == "1/")
    try await server.start(timeout: patience)
    try await server.waitUntilReady(timeout: patience)
  }

  @Test
  func `a server that runs is held only where it shall be stopped, and a failure starts it again`()
    async throws
  {
    let server = StoppedCluster.server()
    let before = try await uid(pod)
    // It takes connections, and answers nothing of use.
    try await StoppedCluster.shell("redis-cli eval 'while true do end' 0 >/dev/null 2>&1 &")
    #expect(try await server.outage(dataDirectory: nil, timeout: patience) == nil)
    await #expect(throws: TargetError.serverRuns("pod raibid-redis-master-0")) {
      try await server.hold(dataDirectory: "/data", stopping: nil, timeout: patience)
    }
    #expect(try await StoppedCluster.scale() == "1/")
    #expect(try await uid(pod) == before)

    let running = RunningServer(processID: 1) { Issue.record("stop was called") }
    let unpullable = StoppedCluster.server(helperImage: "localhost/none:1")
    do {
      _ = try await unpullable.hold(dataDirectory: "/data", stopping: running, timeout: patience)
      Issue.record("an image that does not exist runs")
    } catch TargetError.podDidNotComeBack(let reason) {
      #expect(reason.hasPrefix("ImagePullBackOff: "))
    }
    #expect(try await StoppedCluster.scale() == "1/")
    try await server.waitUntilReady(timeout: patience)
    #expect(try await StoppedCluster.pods() == [pod])
    #expect(try await uid(pod) != before)
  }

  @Test func `a hold that is cancelled starts the server again`() async throws {
    let server = StoppedCluster.server()
    let running = RunningServer(processID: 1) {}
    let hold = Task {
      try await server.hold(dataDirectory: "/data", stopping: running, timeout: patience)
    }
    while try await StoppedCluster.scale() != "0/1" {}
    hold.cancel()
    await #expect(throws: CancellationError.self) { try await hold.value }
    #expect(try await StoppedCluster.scale() == "1/")
    try await server.waitUntilReady(timeout: patience)
    #expect(try await StoppedCluster.pods() == [pod])
  }

  // MARK: - Parts

  /// Spoils the append-only file and ends the server, which the kubelet starts in vain from then on.
  private func breakServer() async throws {
    try await StoppedCluster.shell(
      """
      redis-cli set kept value && cd /data/appendonlydir &&
      for file in *.incr.aof; do echo broken >$file; done
      """)
    do {
      try await StoppedCluster.shell("redis-cli shutdown nosave")
    } catch is TargetError {
      // The command can be ended with its container.
    }
    // The kubelet tells a little later.
    let restarts =
      "--output=jsonpath={.status.containerStatuses[?(@.name==\"redis\")].restartCount}"
    while try await StoppedCluster.text(["get", pod, restarts]) == "0" {}
  }

  private func removeBrokenFile(_ volume: any DataVolume) async throws {
    let directory = "/data/appendonlydir"
    for name in try #require(try await volume.list(directory)) {
      try await volume.remove("\(directory)/\(name)")
    }
    try await volume.removeDirectory(directory)
  }

  private func expectTarget(image: String) async throws {
    for choice in [
      KubernetesOptions.PodChoice.name("raibid-redis-master-0"),
      .statefulSet("raibid-redis-master"), .selector("app in (redis, valkey)"),
    ] {
      let found = try await Target.kubernetes(StoppedCluster.options(choice)).found
      #expect(found.map(\.source.pod) == ["raibid-redis-master-0"])
      #expect(found.map(\.source.container) == ["redis"])
      #expect(found.map(\.source.image) == [image])
    }
  }

  private func expectHold(_ files: HeldFiles) async throws {
    #expect(files.directories == ["/data"])
    #expect(try await files.volume.list("/data") == ["appendonlydir"])
    #expect(try await StoppedCluster.scale() == "0/1")
    #expect(try await StoppedCluster.pods() == [helper])
    let addresses = try await StoppedCluster.text([
      "get", "endpoints/raibid-redis", "--output=jsonpath={.subsets}",
    ])
    #expect(addresses == "")
  }

  private func uid(_ object: String) async throws -> String {
    try await StoppedCluster.text(["get", object, "--output=jsonpath={.metadata.uid}"])
  }
}
