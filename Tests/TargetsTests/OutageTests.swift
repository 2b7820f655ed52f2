import Testing

@testable import Targets

/// What the cluster says of a server that does not answer.
struct OutageTests {
  @Test(arguments: [
    (["pod-set-0": Queue.pod(Queue.crashing), "statefulset-set": Queue.set()], true),
    (
      [
        "pod-set-0.1": Queue.pod(Queue.ended), "pod-set-0.2": Queue.pod(restarts: 1),
        "pod-set-0.3": Queue.pod(Queue.crashing),
        "statefulset-set": Queue.set(),
      ], true
    ),
    // Without a probe a container is ready whenever it runs.
    (
      [
        "pod-set-0.1": Queue.pod(ready: true, restarts: 1, probed: false),
        "pod-set-0.2": Queue.pod(Queue.crashing),
        "statefulset-set": Queue.set(),
      ], true
    ),
    (
      [
        "pod-set-0": Queue.pod(Queue.crashing),
        "statefulset-set": "error: Error from server (Forbidden): sets",
      ], true
    ),
    (
      [
        "pod-set-0.1": Queue.pod(Queue.ended), "pod-set-0.2": Queue.pod(ready: true, restarts: 1),
        "pod-set-0.3": Queue.pod(Queue.crashing), "statefulset-set": Queue.set(),
      ], false
    ),
    (
      [
        "pod-set-0.1": Queue.pod(), "pod-set-0.2": Queue.pod(Queue.crashing),
        "statefulset-set": Queue.set(),
      ], false
    ),
    (
      [
        "pod-set-0": Queue.pod(#"{"waiting":{"reason":"ImagePullBackOff"}}"#),
        "statefulset-set": Queue.set(),
      ], false
    ),
    (
      [
        "pod-set-0": Queue.pod(#"{"waiting":{"reason":"ContainerCreating"}}"#),
        "statefulset-set": Queue.set(),
      ], false
    ),
  ])
  func `a container is an outage when the kubelet waits before it starts it again`(
    files: [String: String], isOutage: Bool
  ) async throws {
    let cluster = try Queue.cluster(files)
    let outage = try await Queue.server(cluster).outage(dataDirectory: nil, timeout: .seconds(60))
    #expect(
      outage
        == (isOutage
          ? .crashing(pod: "set-0", reason: "CrashLoopBackOff: exited with status 1") : nil))
  }

  @Test func `what does not change by itself is watched for the timeout only`() async throws {
    let cluster = try Queue.cluster([
      "pod-set-0": Queue.pod(Queue.ended), "statefulset-set": Queue.set(),
    ])
    #expect(
      try await Queue.server(cluster).outage(dataDirectory: nil, timeout: .milliseconds(600)) == nil
    )
  }

  @Test(arguments: [(nil, nil), ("1", 1), ("0", 0), ("x", nil)] as [(String?, Int?)])
  func `a set without replicas is an outage, and a killed run has noted how many it had`(
    held: String?, replicas: Int?
  ) async throws {
    let cluster = try Queue.cluster(["statefulset-set": Queue.set(replicas: 0, held: held)])
    #expect(
      try await Queue.server(cluster).outage(dataDirectory: nil, timeout: .seconds(60))
        == .scaledDown(controller: "set", replicas: replicas))
  }
}
