import FoundationEssentials
import Glibc
import RawJSON
import Testing

@testable import Targets

/// Keeping a StatefulSet from running, and reaching the files of its pod.
struct HoldingTests {
  /// The patches that were sent, in order.
  private func patches(_ cluster: FakeCluster) throws -> [String] {
    try cluster.text("calls").split(separator: "\n").compactMap { line in
      line.firstRange(of: "--patch=").map { String(line[$0.upperBound...]) }
    }
  }

  private func patch(_ replicas: Int, _ held: String, version: Int = 7) -> String {
    let process = held == "null" ? held : "\"\(ToolProcess.current.rawValue)\""
    return
      #"{"metadata":{"resourceVersion":"\#(version)","annotations":{"raibid-backup/replicas":\#(held),"#
      + #""raibid-backup/process":\#(process)}},"spec":{"replicas":\#(replicas)}}"#
  }

  // MARK: - Scales

  @Test(arguments: [
    (Scale(replicas: 1), Scale(replicas: 0, held: 1)),
    (Scale(replicas: 0), Scale(replicas: 0, held: 0)),
    (Scale(replicas: 0, held: 1), Scale(replicas: 0, held: 1)),
    // Somebody has started it since that run was killed.
    (Scale(replicas: 1, held: 0), Scale(replicas: 0, held: 1)),
    // That run has, and was killed before it had compared the data.
    (Scale(replicas: 1, held: 0, isStarted: true), Scale(replicas: 0, held: 0)),
  ])
  func `a hold notes what it will put back`(scale: Scale, down: Scale) {
    #expect(scale.down == down)
  }

  @Test(arguments: [
    (Scale(replicas: 0, held: 1), 1, 1), (Scale(replicas: 0), 0, 1), (Scale(replicas: 1), 1, 1),
    (Scale(replicas: 2, held: 1), 2, 2), (Scale(replicas: 1, held: 0, isStarted: true), 1, 1),
  ])
  func `the end of a hold puts back what it has noted`(
    scale: Scale, replicas: Int, replicasStarted: Int
  ) {
    #expect(scale.up(startsServer: false) == Scale(replicas: replicas))
    #expect(scale.up(startsServer: true) == Scale(replicas: replicasStarted))
  }

  @Test func `a server that is started although there was none is noted, for the way back`() {
    let held = Scale(replicas: 0, held: 0)
    let started = Scale(replicas: 1, held: 0, isStarted: true)
    #expect(held.up(startsServer: false) == Scale(replicas: 0))
    #expect(held.up(startsServer: true) == started)
    #expect(started.note == "0 started")
    #expect(Scale(replicas: 1, note: started.note) == started)
  }

  // MARK: - The helper

  @Test func `the pod that stands for the server's has its volumes and nothing that runs`()
    throws
  {
    let set = try JSONDecoder().decode(HeldSet.self, from: Data(Queue.set().utf8))
    let place = PodContainer(pod: "set-0-restore", container: "redis")
    let expected = """
      {"apiVersion":"v1","kind":"Pod","metadata":{"name":"set-0-restore",
      "labels":{"app.kubernetes.io/managed-by":"raibid-backup"},"annotations":{"raibid-backup/helper":
      "reaches the files of pod set-0 for a restore, and goes with it"}},
      "spec":{"securityContext":{"fsGroup":1001},"tolerations":[{"key":"db","operator":"Exists"}],
      "serviceAccountName":"queue","nodeSelector":{"disk":"fast"},"affinity":{"nodeAffinity":{"x":1.5}},
      "automountServiceAccountToken":false,"restartPolicy":"Never","terminationGracePeriodSeconds":1,
      "activeDeadlineSeconds":86400,
      "volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"data-set-0"}},
      {"name":"config","configMap":{"name":"c"}}],
      "containers":[{"name":"redis","image":"IMAGE",POLICY
      "command":["sh","-c","trap 'exit 0' TERM; sleep 86400 & wait"],
      "securityContext":{"runAsUser":1001},"resources":{"limits":{"memory":"1Gi"}},"volumeMounts":
      [{"name":"data","mountPath":"/data"},{"name":"config","mountPath":"/etc/redis"}]}]}}
      """
    func pod(_ image: String, _ policy: String) throws -> JSONValue {
      let text = expected.replacing("IMAGE", with: image).replacing("POLICY", with: policy)
      return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
    #expect(
      try set.helperPod(place, for: "set-0", image: nil)
        == pod("redis:7", #""imagePullPolicy":"Always","#))
    #expect(try set.helperPod(place, for: "set-0", image: "tools:1") == pod("tools:1", ""))
    let other = PodContainer(pod: "set-0-restore", container: "none")
    #expect(set.helperPod(other, for: "set-0", image: nil) == nil)
  }

  // MARK: - Holding

  @Test func `a hold takes over what a killed run has left`() async throws {
    let helper = Queue.pod(name: "set-0-restore")
    let cluster = try Queue.cluster([
      "statefulset-set": Queue.set(replicas: 0, held: "1"), "pod-set-0-restore.1": helper,
      "pod-set-0-restore.2": Queue.missing("set-0-restore"), "pod-set-0-restore.3": helper,
    ])
    let files = try await Queue.server(cluster, helperImage: "tools:1").hold(
      dataDirectory: nil, stopping: nil, timeout: .seconds(5))
    #expect(files.directories == ["/data"])
    #expect(
      (files.volume as? PodVolume)?.container
        == PodContainer(pod: "set-0-restore", container: "redis"))
    #expect(try patches(cluster) == [])
    #expect(try cluster.text("created").contains(#""image":"tools:1""#))
    #expect(try cluster.verbs().filter { $0 == "delete" }.count == 1)
  }

  @Test func `a hold of a process that is at work is not taken over`() async throws {
    let parent = Int(getppid())
    let cluster = try Queue.cluster([
      "statefulset-set": Queue.set(
        replicas: 0, held: "1", holder: ToolProcess(processID: parent).rawValue)
    ])
    await #expect(throws: TargetError.restoreAtWork(processID: parent)) {
      try await Queue.server(cluster).hold(
        dataDirectory: nil, stopping: nil, timeout: .seconds(5))
    }
    #expect(try cluster.verbs().allSatisfy { $0 == "get" })
    #expect(!ToolProcess.current.isOtherAtWork)
    #expect(!ToolProcess(rawValue: "\(parent) 1 other-boot pid:[1]").isOtherAtWork)
    #expect(!ToolProcess(rawValue: "").isOtherAtWork)
  }

  @Test func `a set that changes meanwhile is looked at again`() async throws {
    let cluster = try Queue.cluster(
      [
        "pod-set-0.1": Queue.pod(Queue.crashing), "pod-set-0.2": Queue.pod(Queue.crashing),
        "pod-set-0.3": Queue.pod(Queue.crashing), "pod-set-0.4": Queue.pod(ready: true),
        "statefulset-set": Queue.set(),
      ],
      control: #"case "$*" in *--patch=*) fail="error (Conflict): modified";; esac"#)
    await #expect(throws: TargetError.serverRuns("pod set-0")) {
      try await Queue.server(cluster).hold(
        dataDirectory: nil, stopping: nil, timeout: .seconds(5))
    }
    #expect(try patches(cluster) == [patch(0, #""1""#)])
  }

  @Test(arguments: [
    (
      #"{"terminated":{"reason":"StartError","message":"exec: \"sh\": executable file not found in $PATH"}}"#,
      TargetError.toolMissingInContainer(name: "sh", container: "redis")
    ),
    (
      #"{"waiting":{"reason":"ImagePullBackOff"}}"#,
      .podDidNotComeBack(reason: "ImagePullBackOff: exited with status 1")
    ),
    (#"{"terminated":{"reason":"Error"}}"#, .podDidNotComeBack(reason: "Error")),
  ])
  func `a hold that fails puts the replicas back`(state: String, error: TargetError) async throws {
    let cluster = try Queue.cluster([
      "pod-set-0.1": Queue.pod(Queue.crashing), "pod-set-0.2": Queue.pod(Queue.crashing),
      "pod-set-0.3": Queue.missing("set-0"),
      "statefulset-set.1": Queue.set(), "statefulset-set.2": Queue.set(),
      "statefulset-set.3": Queue.set(replicas: 0, held: "1", version: 8),
      "pod-set-0-restore.1": Queue.missing("set-0-restore"),
      "pod-set-0-restore.2": Queue.pod(state, name: "set-0-restore"),
      "pod-set-0-restore.3": Queue.pod(state, name: "set-0-restore"),
      "pod-set-0-restore.4": Queue.missing("set-0-restore"),
    ])
    await #expect(throws: error) {
      try await Queue.server(cluster).hold(
        dataDirectory: "/data", stopping: nil, timeout: .seconds(5))
    }
    #expect(try patches(cluster) == [patch(0, #""1""#), patch(1, "null", version: 8)])
    #expect(try cluster.verbs().filter { $0 == "delete" }.count == 1)
  }

  @Test func `a hold is confirmed while there are no replicas and no other pod has the volume`()
    async throws
  {
    func confirm(_ files: [String: String]) async throws {
      let cluster = try Queue.cluster(
        [
          "statefulset-set": Queue.set(replicas: 0, held: "1"),
          "pods": #"{"items":[\#(Queue.pod(name: "set-0-restore"))]}"#,
        ].merging(files) { $1 })
      try await Queue.server(cluster).confirmHold(dataDirectory: "/data")
    }
    try await confirm([:])
    await #expect(throws: TargetError.serverRuns("pod set-0")) {
      try await confirm(["statefulset-set": Queue.set(replicas: 1, held: "1")])
    }
    await #expect(throws: TargetError.serverRuns("pod other")) {
      try await confirm(["pods": #"{"items":[\#(Queue.pod(name: "other"))]}"#])
    }
  }

  @Test(
    arguments: [
      (Queue.set(replicas: 0, held: "1"), false, 1), (Queue.set(replicas: 0, held: "0"), false, 0),
      (Queue.set(replicas: 1, held: "0 started"), false, 1), (Queue.set(replicas: 0), true, 1),
      (Queue.set(replicas: 0), false, nil), (Queue.set(), true, nil),
    ] as [(String, Bool, Int?)])
  func `the end of a hold patches what a hold has changed`(
    set: String, startsServer: Bool, replicas: Int?
  ) async throws {
    let cluster = try Queue.cluster(["statefulset-set": set])
    try await Queue.server(cluster).release(startsServer: startsServer, timeout: .seconds(5))
    #expect(try patches(cluster) == (replicas.map { [patch($0, "null")] } ?? []))
  }

  @Test func `a pod without a StatefulSet has no hold that could end`() async throws {
    let cluster = try Queue.cluster(["pod-set-0": Queue.pod(owner: "ReplicaSet")])
    try await Queue.server(cluster).release(startsServer: true, timeout: .seconds(5))
    #expect(try patches(cluster) == [])
  }
}
