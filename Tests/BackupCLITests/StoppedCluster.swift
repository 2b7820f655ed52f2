import TestSupport

// A Redis of the cluster that does not run.

extension ClusterRedis {
  static let statefulSet = "statefulset/raibid-redis-master"
  /// What a broken file holds.
  static let nonsense = "REDIS is no such file"

  /// How many replicas there are, what a restore has noted of them, and which pod it has left.
  func hold() async throws -> String {
    let fields = "{.spec.replicas}{.metadata.annotations.raibid-backup/replicas}"
    return try await kubectl("get", Self.statefulSet, "-o", "jsonpath=\(fields)")
      + kubectl("get", "pod/\(Self.pod)-restore", "--ignore-not-found", "-o", "name")
  }

  /// Takes the pod away.
  func scaleDown() async throws {
    try await kubectl("scale", Self.statefulSet, "--replicas=0")
    try await eventually("there is no \(Self.pod)") {
      try await kubectl("get", "pod/\(Self.pod)", "--ignore-not-found", "-o", "name") == ""
    }
  }

  /// Has the pod back.
  func scaleUp() async throws {
    try await kubectl("scale", Self.statefulSet, "--replicas=1")
    try await awaitReady()
  }

  /// Breaks what the server reads at its start, and ends it.
  func crash() async throws {
    try await shell("echo '\(Self.nonsense)' | tee /data/appendonlydir/*.base.rdb")
    do {
      try await cli("SHUTDOWN NOSAVE")
    } catch is Refused {
      // The client ends with the container.
    }
    try await awaitCrashLoop(of: "raibid-redis")
  }

  /// Waits until the kubelet lets time pass before it starts a container again.
  func awaitCrashLoop(of pods: String) async throws {
    let reason = "{.items[*].status.containerStatuses[0].state.waiting.reason}"
    try await eventually("\(pods) is in a crash loop", within: .seconds(120)) {
      try await kubectl("get", "pods", "--selector=app=\(pods)", "-o", "jsonpath=\(reason)")
        == "CrashLoopBackOff"
    }
  }

  /// Replaces the server's configuration, which its next pod will read.
  func configure(_ lines: String) async throws {
    let text = lines.replacing("\n", with: "\\n")
    try await kubectl(
      "patch", "configmap/raibid-redis-configuration", "--type=merge",
      "--patch={\"data\":{\"redis.conf\":\"\(text)\"}}")
  }

  /// Files on the volume that neither a server would have there nor a restore keeps.
  func unexpectedFiles() async throws -> [String] {
    try await strangers().filter { !$0.hasPrefix("./appendonlydir.before-") }
  }
}
