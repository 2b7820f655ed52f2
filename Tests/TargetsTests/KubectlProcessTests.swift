import FoundationEssentials
import Glibc
import Testing

@testable import Targets

/// What children get from us, and when they go.
struct KubectlProcessTests {
  @Test func `the address of a port-forward holds for the length of the body`() async throws {
    let cluster = try FakeCluster()
    let address = try await cluster.server().withAddress { address in
      let count = try cluster.processCount()
      #expect(count == 1)
      return address
    }
    #expect(address == ServerAddress(host: "127.0.0.1", port: 40123))
    #expect(try await cluster.isQuiet())
  }

  @Test func `a port-forward is gone when the body throws, or ignores SIGTERM`() async throws {
    struct Broken: Error {}
    let cluster = try FakeCluster(control: "deaf=1; straggler=1")
    await #expect(throws: Broken.self) {
      try await cluster.server().withAddress { _ in throw Broken() }
    }
    #expect(try await cluster.isQuiet())
  }

  @Test func `a port-forward is gone when the task is cancelled`() async throws {
    let cluster = try FakeCluster()
    let (begun, signal) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await cluster.server().withAddress { _ in
        signal.yield()
        try await Task.sleep(for: .seconds(1000))
      }
    }
    for await _ in begun { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await cluster.isQuiet())
  }

  @Test func `a port-forward that does not open says why`() async throws {
    let cluster = try FakeCluster(control: "fail='error: broken'")
    await #expect(
      throws: TargetError.commandFailed(
        name: "kubectl port-forward", status: 1, message: "error: broken")
    ) {
      try await cluster.server().withAddress { _ in Issue.record("it opened") }
    }
    try cluster.set("hang=1")
    await #expect(throws: TargetError.stalled(what: "kubectl port-forward", seconds: 0.3)) {
      try await cluster.kubectl(timeout: .milliseconds(300)).withPortForward(
        to: "pod-0", port: 1
      ) { _ in Issue.record("it opened") }
    }
    #expect(try await cluster.isQuiet())
  }

  @Test(arguments: [
    ("Forwarding from 127.0.0.1:40123 -> 6379", 40123), ("Forwarding from 127.0.0.1:40", nil),
    ("Forwarding from [::1]:40123 -> 6379", nil), ("Forwarding from 127.0.0.1:0 -> 1", nil),
    ("Forwarding from 127.0.0.1:99999 -> 1", nil), ("", nil),
  ])
  func `a port is read from a whole line only`(text: String, port: Int?) {
    #expect(Kubectl.forwardedPort(in: text) == port)
  }

  @Test func `children get no password, and no descriptor of ours`() async throws {
    let cluster = try FakeCluster()
    let directory = cluster.directory
    await #expect(processExitsWith: .success) { [directory = directory as String] in
      unsafe setenv("REDISCLI_AUTH", "9c4f-never-shown-1", 1)
      unsafe setenv("RAIBID_BACKUP_PASSWORD", "9c4f-never-shown-2", 1)
      unsafe setenv("KEPT_FOR_CHILDREN", "kept", 1)
      let kubectl = Kubectl(executable: "\(directory)/kubectl", namespace: "space")
      _ = try await kubectl.currentContext()
      let server = LocalServer(
        address: ServerAddress(host: "localhost", port: 1),
        restartCommand: "env > '\(directory)/restart'; ls /proc/self/fd >> '\(directory)/restart'")
      try await server.restart(processID: 0, stopping: {}, timeout: .seconds(9))
    }
    for name in ["environment", "restart"] {
      let text = try cluster.text(name)
      let isKept = text.contains("KEPT_FOR_CHILDREN=kept")
      let isShown = text.contains("9c4f-never-shown")
      #expect(isKept)
      #expect(!isShown)
    }
  }

  @Test(arguments: ["copy", "port"])
  func `children that would wait for ever end when this process is killed`(
    way: String
  ) async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 300_000), to: path)
    try cluster.set(PodVolume.Transport.copy.hang(200_000))
    let directory = cluster.directory
    await #expect(processExitsWith: .signal(SIGKILL)) {
      [directory = directory as String, way = way as String] in
      let kubectl = Kubectl(executable: "\(directory)/kubectl", namespace: "space")
      if way == "copy" {
        let volume = PodVolume(
          kubectl: kubectl, container: PodContainer(pod: "pod-0", container: "redis"),
          transport: .copy)
        try await volume.read("\(directory)/data/file", stallTimeout: .seconds(100)) { _ in
          kill(getpid(), SIGKILL)
        }
      } else {
        try await kubectl.withPortForward(to: "pod-0", port: 1) { _ in
          _ = kill(getpid(), SIGKILL)
        }
      }
    }
    #expect(try await cluster.isQuiet())
  }

  @Test func `input and output of any size go through a call`() async throws {
    let cluster = try FakeCluster()
    let kubectl = cluster.kubectl()
    let input = [UInt8](repeating: 65, count: 60_000)
    let output = try await kubectl.run(["exec", "pod/p", "--", "cat"], input: input)
    #expect(output.standardOutput == input)
    await #expect(
      throws: TargetError.tooLong(what: "the output of kubectl exec", limit: 16 << 20)
    ) {
      try await kubectl.run(["exec", "pod/p", "--", "cat", "/dev/zero"])
    }
    #expect(try await cluster.isQuiet())
  }

  @Test func `a secret is decoded, and never shown`() async throws {
    let cluster = try FakeCluster()
    try cluster.put(#"{"data":{"key":"IGEKAGI=","bad":"c2VjcmV0LXRleHQ*"}}"#, "secret-name")
    let kubectl = cluster.kubectl()
    #expect(try await kubectl.secret("name", key: "key") == Array(" a\n\0b".utf8))
    #expect(try await kubectl.secret("name", key: "none") == nil)
    #expect(try await kubectl.secret("none", key: "key") == nil)
    await #expect(
      throws: TargetError.unexpectedAnswer(what: "kubectl get secret", message: "not base64")
    ) { try await kubectl.secret("name", key: "bad") }
    try cluster.put(#"{"data":{"key":{"secret":"text"}}}"#, "secret-name")
    await #expect(
      throws: TargetError.unexpectedAnswer(
        what: "kubectl get", message: "unexpected value at data.key")
    ) { try await kubectl.secret("name", key: "key") }
    try cluster.put(#"{"data":"#, "secret-name")
    await #expect(
      throws: TargetError.unexpectedAnswer(what: "kubectl get", message: "not the expected JSON")
    ) { try await kubectl.secret("name", key: "key") }
  }
}
