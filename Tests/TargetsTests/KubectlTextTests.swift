import Testing

@testable import Targets

/// What kubectl's texts mean.
struct KubectlTextTests {
  @Test(arguments: [
    (
      #"Error from server (NotFound): pods "nopod" not found"#,
      TargetError.podNotFound(namespace: "space", pod: "nopod")
    ),
    (
      #"Error from server (NotFound): namespaces "nons" not found"#,
      .namespaceNotFound(namespace: "nons")
    ),
    (
      "Error from server (BadRequest): container nope is not valid for pod pod-0",
      .containerNotFound(container: "nope", pod: "pod-0", available: [])
    ),
    (
      "error: container nope not found in pod pod-0",
      .containerNotFound(container: "nope", pod: "pod-0", available: [])
    ),
    (#"error: context "nope" does not exist"#, .contextNotFound(context: "nope")),
    (
      "Error in configuration: context was not found for specified context: nope",
      .contextNotFound(context: "nope")
    ),
    (
      """
      Error from server (Forbidden): pods "p" is forbidden: User "u" cannot delete resource \
      "pods" in API group "" in the namespace "n"
      """,
      .forbidden(
        message: """
          (Forbidden): pods "p" is forbidden: User "u" cannot delete resource "pods" in API group \
          "" in the namespace "n"
          """)
    ),
    (
      """
      error: error upgrading connection: pods "p" is forbidden: User "u" cannot create resource \
      "pods/portforward" in API group "" in the namespace "n"
      """,
      .forbidden(
        message: """
          error: error upgrading connection: pods "p" is forbidden: User "u" cannot create \
          resource "pods/portforward" in API group "" in the namespace "n"
          """)
    ),
    (
      "error: You must be logged in to the server (Unauthorized)",
      .forbidden(message: "error: You must be logged in to the server (Unauthorized)")
    ),
    (
      """
      E1124 06:00:00.0 memcache.go:265] couldn't get current server API group list: Get "https"
      The connection to the server 10.231.0.2:1 was refused - did you specify the right host or port?
      """,
      .clusterUnreachable(
        message: """
          The connection to the server 10.231.0.2:1 was refused - did you specify the right host or \
          port?
          """)
    ),
    (
      "Unable to connect to the server: dial tcp: lookup nohost: no such host",
      .clusterUnreachable(
        message: "Unable to connect to the server: dial tcp: lookup nohost: no such host")
    ),
    (
      #"error: unable to upgrade connection: container not found ("redis")"#,
      .podNotRunning(pod: "pod-0", reason: "container redis is not there")
    ),
    (
      "error: unable to forward port because pod is not running. Current status=Pending",
      .podNotRunning(pod: "pod-0", reason: "Pending")
    ),
    (
      "error: cannot exec into a container in a completed pod; current phase is Succeeded",
      .podNotRunning(pod: "pod-0", reason: "completed")
    ),
    ("what", .commandFailed(name: "kubectl exec", status: 1, message: "what")),
  ])
  func `a text of kubectl is a fact`(text: String, error: TargetError) async throws {
    let cluster = try FakeCluster()
    try cluster.set("fail=$(cat \"$here/text\")")
    try cluster.put(text, "text")
    await #expect(throws: error) { try await cluster.volume().status(of: "/data") }
    await #expect(throws: error) { try await cluster.volume(.execute).readAll("/data") }
    await #expect(throws: error) { try await cluster.volume().write([1], to: "/data/x") }
  }

  @Test(arguments: [
    ("cat: write error: No space left on device", 1, TargetError.noSpace(path: "/data/x")),
    ("sh: 1: cannot create /data/x: Permission denied", 2, .permissionDenied(path: "/data/x")),
    ("touch: /data/x: Read-only file system", 1, .permissionDenied(path: "/data/x")),
    ("sh: 1: cannot create /data/x: Directory nonexistent", 2, .fileNotFound(path: "/data/x")),
    ("sh: can't create /data/x: File exists", 1, .fileExists(path: "/data/x")),
    (
      "sh: 1: sync: not found", 127,
      .toolMissingInContainer(name: "sync", container: "redis")
    ),
    (
      #"""
      error: Internal error occurred: OCI runtime exec failed: exec: "sh": executable file not \#
      found in $PATH: unknown
      """#, 126, .toolMissingInContainer(name: "sh", container: "redis")
    ),
    (
      "cat: read error: Input/output error", 1,
      .io(path: "/data/x", message: "cat: read error: Input/output error")
    ),
    ("", 66, .fileNotFound(path: "/data/x")),
    ("", 73, .fileExists(path: "/data/x")),
    (
      "executable file `sh` not found in $PATH: No such file or directory", 127,
      .toolMissingInContainer(name: "sh", container: "redis")
    ),
    ("", 137, .podNotRunning(pod: "pod-0", reason: "the command in it was killed")),
  ])
  func `a text of the container is a fact`(
    text: String, status: Int, error: TargetError
  ) async throws {
    let cluster = try FakeCluster()
    try cluster.set("fail=$(cat \"$here/text\"); fail_status=\(status)")
    try cluster.put("\(text)\ncommand terminated with exit code \(status)", "text")
    await #expect(throws: error) { try await cluster.volume().write([1], to: "/data/x") }
  }

  @Test(arguments: [
    "ln: failed to create hard link '/data/y' => '/data/x': Operation not permitted",
    "ln: failed to create hard link '/data/y' => '/data/x': Operation not supported",
    "ln: /data/y: Function not implemented",
    "ln: failed to create hard link '/data/y' => '/data/x': Too many links",
  ])
  func `a volume without hard links is told apart`(text: String) async throws {
    let cluster = try FakeCluster()
    try cluster.set("fail=$(cat \"$here/text\")")
    try cluster.put("\(text)\ncommand terminated with exit code 1", "text")
    await #expect(throws: TargetError.linksNotSupported(path: "/data/x", message: text)) {
      try await cluster.volume().link("/data/x", to: "/data/y")
    }
  }

  @Test func `errors are facts in lower case without a full stop`() {
    let errors: [TargetError] = [
      .toolMissing(name: "kubectl"), .podNotFound(namespace: "n", pod: "p"),
      .noPod(namespace: "n", that: "matches a=b"),
      .containerNotUnique(pod: "p", containers: ["x", "y"]),
      .containerNotFound(container: "c", pod: "p", available: ["a", "b"]),
      .containerNotFound(container: nil, pod: "p", available: ["a", "b"]),
      .cutShort(path: "/f", expected: 9, received: 4),
      .stalled(what: "kubectl exec", seconds: 15),
      .commandFailed(name: "kubectl get", status: 1, message: "m"),
      .podDidNotComeBack(reason: "ImagePullBackOff"),
    ]
    #expect(
      errors.map(\.description) == [
        "kubectl is not installed",
        "no pod p in namespace n",
        "no pod in namespace n matches a=b",
        "2 containers of pod p run a server: x, y",
        "pod p has no container c, only a, b",
        "none of the containers of pod p runs redis-server or valkey-server: a, b",
        "/f was cut short: 4 of 9 bytes arrived",
        "nothing from kubectl exec for 15 s",
        "kubectl get exited with status 1: m",
        "the pod did not come back: ImagePullBackOff",
      ])
  }
}
