import FoundationEssentials
import Targets
import Testing

/// The cluster that the tests use, and their namespace in it.
enum Cluster {
  static let kubeconfig = ProcessInfo.processInfo.environment["RAIBID_TEST_KUBECONFIG"]
  static let namespace = "raibid-targets-test"

  static let kubectl = Kubectl(kubeconfig: kubeconfig, namespace: namespace)

  /// For calls that wait until something has happened.
  static let patientKubectl = Kubectl(
    kubeconfig: kubeconfig, namespace: namespace, timeout: .seconds(180))

  static let store = PodContainer(pod: "store-0", container: "redis")
  static let bare = PodContainer(pod: "bare", container: "only")

  static func options(
    namespace: String = namespace, context: String? = nil, pod: String = "store-0",
    container: String? = nil
  ) -> KubernetesOptions {
    KubernetesOptions(
      kubeconfig: kubeconfig, context: context, namespace: namespace, pod: .name(pod),
      container: container)
  }

  static func volume(
    _ place: PodContainer = store, transport: PodVolume.Transport = .automatic
  ) -> PodVolume {
    PodVolume(kubectl: kubectl, container: place, transport: transport)
  }

  static func server(
    _ place: PodContainer = store, kubectl: Kubectl = kubectl
  ) -> PodServer {
    PodServer(kubectl: kubectl, container: place, port: 6379, memoryLimitByteCount: nil)
  }

  /// A kubectl that speaks for a service account of the fixture.
  static func withKubectl<R>(
    as account: String, namespace: String = namespace, _ body: (Kubectl) async throws -> R
  ) async throws -> R {
    let path = "/tmp/raibid-kubectl-\(UInt64.random(in: 0 ... .max))"
    let script = """
      #!/bin/sh
      exec kubectl --as=system:serviceaccount:\(namespace):\(account) "$@"
      """
    let files = LocalVolume()
    try await files.write(
      Array(script.utf8), to: path, ownership: FileOwnership(userID: 0, groupID: 0, mode: 0o700))
    let outcome: Result<R, any Error>
    do {
      outcome = .success(
        try await body(Kubectl(executable: path, kubeconfig: kubeconfig, namespace: namespace)))
    } catch {
      outcome = .failure(error)
    }
    try await files.remove(path)
    return try outcome.get()
  }

  static func fixture(_ name: String) throws -> [UInt8] {
    let path = #filePath.split(separator: "/").dropLast().joined(separator: "/")
    return Array(try Data(contentsOf: URL(filePath: "/\(path)/Fixtures/\(name)")))
  }
}

/// Brings up the pods before the first test and removes them after the last one.
struct ClusterTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard Cluster.kubeconfig != nil else { return try await function() }
    let admin = Cluster.patientKubectl
    _ = try await admin.run(["delete", "namespace/\(Cluster.namespace)", "--ignore-not-found"])
    _ = try await admin.run(["create", "namespace", Cluster.namespace])
    _ = try await admin.run(["apply", "--filename=-"], input: try Cluster.fixture("pods.yaml"))
    for place in [Cluster.store, Cluster.bare] {
      try await Cluster.server(place).waitUntilReady(timeout: .seconds(60))
    }
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await function())
    } catch {
      outcome = .failure(error)
    }
    _ = try await admin.run(["delete", "namespace/\(Cluster.namespace)", "--wait=false"])
    try outcome.get()
  }
}

/// All tests of a real cluster, one after the other: some of them delete the pod of the others.
@Suite(
  .serialized, ClusterTrait(),
  .enabled(
    if: Cluster.kubeconfig != nil, "RAIBID_TEST_KUBECONFIG names no kubeconfig of a cluster"))
struct KubernetesTests {}
