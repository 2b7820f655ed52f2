import FoundationEssentials
import Targets
import Testing

/// A namespace with a Redis that the tests keep from running.
enum StoppedCluster {
  static let namespace = "raibid-holding-test"
  static let place = PodContainer(pod: "raibid-redis-master-0", container: "redis")
  static let kubectl = Kubectl(kubeconfig: Cluster.kubeconfig, namespace: namespace)
  private static let set = "statefulset/raibid-redis-master"

  /// For calls that wait until something has happened.
  private static let patientKubectl = Kubectl(
    kubeconfig: Cluster.kubeconfig, namespace: namespace, timeout: .seconds(180))

  static func server(helperImage: String? = nil, kubectl: Kubectl = kubectl) -> PodServer {
    PodServer(
      kubectl: kubectl, container: place, port: 6379, memoryLimitByteCount: nil,
      helperImage: helperImage)
  }

  static func options(_ pod: KubernetesOptions.PodChoice) -> KubernetesOptions {
    KubernetesOptions(
      kubeconfig: Cluster.kubeconfig, namespace: namespace, pod: pod, allowsStopped: true)
  }

  /// Runs a body with a server that is ready.
  static func with(_ body: () async throws -> Void) async throws {
    _ = try await patientKubectl.run(["delete", "namespace/\(namespace)", "--ignore-not-found"])
    _ = try await kubectl.run(["create", "namespace", namespace])
    _ = try await kubectl.run(
      ["apply", "--filename=-"], input: try Cluster.fixture("stopped.yaml"))
    _ = try await kubectl.run(["apply", "--filename=-"], input: try roles())
    try await server().waitUntilReady(timeout: .seconds(60))
    let outcome: Result<Void, any Error>
    do {
      outcome = .success(try await body())
    } catch {
      outcome = .failure(error)
    }
    _ = try await kubectl.run(["delete", "namespace/\(namespace)", "--wait=false"])
    try outcome.get()
  }

  private static func roles() throws -> [UInt8] {
    let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
    return Array(try Data(contentsOf: URL(filePath: "/\(root)/scripts/kubernetes/rbac.yaml")))
  }

  /// Runs a command line in the server's container.
  @discardableResult
  static func shell(_ command: String) async throws -> String {
    try await text(["exec", place.pod, "--container=redis", "--", "sh", "-c", command])
  }

  /// What the StatefulSet has: its replicas and what a hold has noted.
  static func scale() async throws -> String {
    try await text([
      "get", set,
      #"--output=jsonpath={.spec.replicas}/{.metadata.annotations.raibid-backup/replicas}"#,
    ])
  }

  static func scale(to replicas: Int) async throws {
    _ = try await kubectl.run(["scale", set, "--replicas=\(replicas)"])
    if replicas == 0 {
      _ = try await patientKubectl.run([
        "wait", "pod/\(place.pod)", "--for=delete", "--timeout=120s",
      ])
    }
  }

  /// The names of all pods.
  static func pods() async throws -> [String] {
    try await text(["get", "pods", "--output=name"]).split(separator: "\n").map(String.init)
  }

  static func text(_ arguments: [String]) async throws -> String {
    String(decoding: try await kubectl.run(arguments).standardOutput, as: UTF8.self)
  }
}

/// Brings up the server before the first test and removes it after the last one.
struct StoppedClusterTrait: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard Cluster.kubeconfig != nil else { return try await function() }
    try await StoppedCluster.with { try await function() }
  }
}
