import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// A Redis in a namespace of its own on the cluster of the tests.
struct ClusterRedis: Sendable {
  /// What the cluster runs.
  enum Image: String, CaseIterable, CustomTestStringConvertible {
    case redis70 = "redis:7.0"
    case redis80 = "redis:8.0"
    case valkey81 = "valkey:8.1"
    case redis70WithoutTar = "redis:7.0-notar"

    var product: String { self == .valkey81 ? "valkey" : "redis" }
    var testDescription: String { rawValue }
  }

  /// The cluster; nil where the tests have none.
  static let kubeconfig = ProcessInfo.processInfo.environment["RAIBID_TEST_KUBECONFIG"]
  static let password = "s3cret pass"
  static let pod = "raibid-redis-master-0"
  /// The label of namespaces that these tests have made.
  private static let mark = "raibid-backup-test"

  let namespace: String
  var image = Image.redis70

  /// Runs a body with a Redis that is ready, in a namespace that is gone afterwards.
  ///
  /// - Parameter lines: Lines of the manifest, and what stands there instead.
  static func with<R: Sendable>(
    _ image: Image = .redis70, namespace: String? = nil, replacing lines: [String: String] = [:],
    _ body: (ClusterRedis) async throws -> R
  ) async throws -> R {
    try await inNamespace(namespace, image) { redis in
      try await redis.apply("redis.yaml", replacing: lines)
      try await redis.awaitReady()
      return try await body(redis)
    }
  }

  /// Runs a body with a namespace that is empty, and gone afterwards.
  static func inNamespace<R: Sendable>(
    _ namespace: String? = nil, _ image: Image = .redis70,
    _ body: (ClusterRedis) async throws -> R
  ) async throws -> R {
    let suffix = String(UInt32.random(in: 0 ... .max), radix: 16)
    let redis = ClusterRedis(namespace: namespace ?? "raibid-e2e-\(suffix)", image: image)
    // Only what an interrupted run of these tests has left: anything else of that name is not ours.
    try await redis.kubectl(
      "delete", "namespaces", "--selector=\(mark)=\(redis.namespace)", "--timeout=120s")
    try await redis.kubectl("create", "namespace", redis.namespace)
    try await redis.kubectl("label", "namespace/\(redis.namespace)", "\(mark)=\(redis.namespace)")
    let outcome: Result<R, any Error>
    do {
      outcome = .success(try await body(redis))
    } catch {
      outcome = .failure(error)
    }
    try await redis.kubectl("delete", "namespace/\(redis.namespace)", "--wait=false")
    return try outcome.get()
  }

  /// Applies a fixture.
  func apply(_ fixture: String, replacing lines: [String: String] = [:]) async throws {
    let directory = URL(filePath: #filePath).deletingLastPathComponent()
    var text = try String(
      contentsOf: directory.appending(path: "Fixtures/\(fixture)"), encoding: .utf8)
    for (line, other) in lines { text = text.replacing(line, with: other) }
    text = text.replacing("image: localhost/redis:7.0", with: "image: localhost/\(image.rawValue)")
    for name in ["server", "cli"] {
      text = text.replacing("redis-\(name)", with: "\(image.product)-\(name)")
    }
    try await kubectl("apply", "--filename=-", input: text)
  }

  /// Waits until a pod is ready that is not about to end.
  func awaitReady(_ pod: String = pod) async throws {
    let fields = "{.metadata.deletionTimestamp}{.status.conditions[?(@.type==\"Ready\")].status}"
    // A busy kubelet takes its time to let a pod go.
    try await eventually("\(pod) is ready", within: .seconds(300)) {
      try await kubectl("get", "pod", pod, "--ignore-not-found", "-o", "jsonpath=\(fields)")
        == "True"
    }
  }

  /// Has the cluster stop the pod and start it again.
  func restart() async throws {
    try await kubectl("delete", "pod/\(Self.pod)")
    try await awaitReady()
  }

  /// What tells the pod from the one that has its name later.
  func podID() async throws -> String {
    try await kubectl("get", "pod/\(Self.pod)", "-o", "jsonpath={.metadata.uid}")
  }

  /// Runs the client of the server in the pod.
  @discardableResult
  func cli(_ commands: String) async throws -> String {
    try await shell(
      "REDISCLI_AUTH=$REDIS_PASSWORD \(image.product)-cli", input: commands + "\n")
  }

  /// Runs a command line in the pod.
  @discardableResult
  func shell(_ command: String, input: String = "") async throws -> String {
    try await kubectl(
      "exec", "--stdin", "pod/\(Self.pod)", "--container=redis", "--", "sh", "-c", command,
      input: input)
  }

  /// Runs kubectl in the namespace.
  @discardableResult
  func kubectl(_ arguments: String..., input: String = "") async throws -> String {
    try await kubectl(arguments, input: input)
  }

  private func kubectl(_ arguments: [String], input: String) async throws -> String {
    let kubeconfig = try #require(Self.kubeconfig)
    let result = try await run(
      .name("kubectl"),
      arguments: Arguments(["--kubeconfig=\(kubeconfig)", "--namespace=\(namespace)"] + arguments),
      input: .string(input), output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
      throw Refused(text: "kubectl \(arguments.first ?? ""): \(result.standardError)")
    }
    let output = result.standardOutput
    return output.hasSuffix("\n") ? String(output.dropLast()) : output
  }

  /// What kubectl said when it did not do it.
  struct Refused: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
  }
}

// MARK: - The data

extension ClusterRedis {
  /// Fills the server with the sample data.
  func fill() async throws {
    try await cli(Queue.filling())
  }

  /// Spoils the data.
  func wreck() async throws {
    try await cli(Queue.accident)
  }

  /// Makes the dump big enough for a copy that takes a while.
  func inflate() async throws {
    try await cli("CONFIG SET rdbcompression no\nDEBUG POPULATE 4000 big 20000")
  }

  /// All that must be the same after a restore.
  func picture() async throws -> String {
    try await Queue.picture { try await cli($0) }
  }

  /// Whether a write is acknowledged.
  func acceptsWrites() async throws -> Bool {
    try await cli("SET probe 1\nDEL probe") == "OK\n1"
  }

  /// Files on the volume that a server by itself would not have there.
  func strangers() async throws -> [String] {
    let script = """
      cd /data && find . -mindepth 1 ! -path ./dump.rdb ! -path ./appendonlydir |
      while read -r path; do
        case $path in
        ./appendonlydir/appendonly.aof.manifest) continue ;;
        ./appendonlydir/*)
          if grep -q "file ${path##*/} " appendonlydir/*.manifest; then continue; fi ;;
        esac
        echo "$path"
      done
      """
    return try await shell(script).split(separator: "\n").map(String.init)
  }
}
