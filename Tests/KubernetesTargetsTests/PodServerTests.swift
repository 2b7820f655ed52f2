import Glibc
import Targets
import Testing

extension KubernetesTests {
  @Test func `the target names what it found`() async throws {
    let target = try #require(try await Target.kubernetes(Cluster.options()).found.first)
    #expect(
      target.source
        == TargetSource(
          target: .kubernetes, context: try await Cluster.kubectl.currentContext(),
          namespace: Cluster.namespace, pod: "store-0", container: "redis",
          image: "localhost/redis:7.0"))
    #expect(target.control.memoryLimitByteCount == 192 << 20)
    var options = Cluster.options()
    options.pod = .selector("app=store")
    #expect(try await Target.kubernetes(options).found.map(\.source.pod) == ["store-0"])
    options.pod = .statefulSet("store")
    #expect(try await Target.kubernetes(options).found.map(\.source.pod) == ["store-0"])
    options.pod = .selector("app=none")
    await #expect(
      throws: TargetError.noPod(namespace: Cluster.namespace, that: "matches app=none")
    ) { try await Target.kubernetes(options) }
  }

  @Test func `what does not exist is named`() async throws {
    await #expect(throws: TargetError.podNotFound(namespace: Cluster.namespace, pod: "nopod")) {
      try await Target.kubernetes(Cluster.options(pod: "nopod"))
    }
    await #expect(throws: TargetError.namespaceNotFound(namespace: "nons")) {
      try await Target.kubernetes(Cluster.options(namespace: "nons"))
    }
    await #expect(
      throws: TargetError.containerNotFound(
        container: "nope", pod: "store-0", available: ["redis", "sidecar"])
    ) { try await Target.kubernetes(Cluster.options(container: "nope")) }
    await #expect(throws: TargetError.contextNotFound(context: "nope")) {
      try await Target.kubernetes(Cluster.options(context: "nope"))
    }
    let volume = Cluster.volume(PodContainer(pod: "store-0", container: "nope"))
    await #expect(
      throws: TargetError.containerNotFound(container: "nope", pod: "store-0", available: [])
    ) { try await volume.status(of: "/data") }
    let gone = Cluster.volume(PodContainer(pod: "gone", container: "redis"))
    await #expect(throws: TargetError.podNotFound(namespace: Cluster.namespace, pod: "gone")) {
      try await gone.readAll("/data/x")
    }
  }

  @Test func `a refusal is given in the server's words`() async throws {
    try await Cluster.withKubectl(as: "limited") { kubectl in
      let account = "system:serviceaccount:\(Cluster.namespace):limited"
      let volume = PodVolume(kubectl: kubectl, container: Cluster.store)
      await #expect(
        throws: TargetError.forbidden(
          message: """
            (Forbidden): pods "store-0" is forbidden: User "\(account)" cannot create resource \
            "pods/exec" in API group "" in the namespace "\(Cluster.namespace)"
            """)
      ) { try await volume.status(of: "/data") }
      let server = Cluster.server(kubectl: kubectl)
      await #expect(
        throws: TargetError.forbidden(
          message: """
            (Forbidden): pods "store-0" is forbidden: User "\(account)" cannot delete resource \
            "pods" in API group "" in the namespace "\(Cluster.namespace)"
            """)
      ) { try await server.restart(processID: 1, stopping: {}, timeout: .seconds(30)) }
      await #expect(throws: TargetError.self) {
        try await server.withAddress { _ in Issue.record("a port is open") }
      }
      let obstacles = try await server.obstacles(processID: 1, dataDirectory: "/data")
      #expect(
        obstacles == [
          .forbidden(
            message: """
              (Forbidden): statefulsets.apps "store" is forbidden: User "\(account)" cannot get \
              resource "statefulsets" in API group "apps" in the namespace "\(Cluster.namespace)"
              """),
          .forbidden(
            message: """
              pods "store-0" is forbidden: this account cannot delete resource "pods" in the \
              namespace "\(Cluster.namespace)"
              """),
        ])
    }
  }

  @Test func `a secret is given byte for byte`() async throws {
    let kubectl = Cluster.kubectl
    #expect(
      try await kubectl.secret("store", key: "redis-password") == Array(" byte for byte ".utf8))
    #expect(try await kubectl.secret("store", key: "none") == nil)
    #expect(try await kubectl.secret("none", key: "redis-password") == nil)
  }

  @Test func `a restart gives another pod that answers, with the same files`() async throws {
    let server = Cluster.server()
    let volume = Cluster.volume()
    try await volume.write([7], to: "/data/kept")
    let before = try await server.withAddress { try ping($0) }
    #expect(before == "+PONG")
    let name = try await uid()
    try await server.restart(
      processID: 1, stopping: { Issue.record("stop was called") }, timeout: .seconds(60))
    #expect(try await uid() != name)
    try await server.waitUntilReady(timeout: .seconds(60))
    let after = try await server.withAddress { try ping($0) }
    #expect(after == "+PONG")
    #expect(try await volume.contents(of: "/data/kept", limit: 9) == [7])
    try await volume.remove("/data/kept")
  }

  @Test func `a port without a listener breaks the connection, not the forward`() async throws {
    let server = PodServer(
      kubectl: Cluster.kubectl, container: Cluster.store, port: 1, memoryLimitByteCount: nil)
    let answer = try await server.withAddress { try ping($0) }
    #expect(answer == "")
  }

  @Test func `a stateful set of one with a claim has no obstacle`() async throws {
    #expect(try await Cluster.server().obstacles(processID: 1, dataDirectory: "/data") == [])
    #expect(try await Cluster.server().obstacles(processID: 1, dataDirectory: "/data/") == [])
  }

  @Test func `obstacles are found`() async throws {
    #expect(
      try await Cluster.server(Cluster.bare).obstacles(processID: 1, dataDirectory: "/data") == [
        .podWithoutController(pod: "bare"),
        .dataNotOnClaim(directory: "/data", kind: "emptyDir"),
      ])
    #expect(
      try await Cluster.server().obstacles(processID: 1, dataDirectory: "/database") == [
        .dataNotOnClaim(directory: "/database", kind: "container")
      ])
    let peer = """
      apiVersion: v1
      kind: Pod
      metadata: {name: peer}
      spec:
        terminationGracePeriodSeconds: 0
        containers:
        - name: peer
          image: localhost/redis:7.0
          imagePullPolicy: IfNotPresent
          command: [sleep, "1000"]
          volumeMounts: [{name: data, mountPath: /data}]
        volumes: [{name: data, persistentVolumeClaim: {claimName: data-store-0}}]
      """
    _ = try await Cluster.kubectl.run(["apply", "--filename=-"], input: Array(peer.utf8))
    #expect(
      try await Cluster.server().obstacles(processID: 1, dataDirectory: "/data") == [
        .claimIsShared(claim: "data-store-0", pods: ["peer"])
      ])
    _ = try await Cluster.patientKubectl.run(["delete", "pod/peer", "--now"])
  }

  @Test(arguments: [
    (#"{"containers":[{"name":"redis","image":"localhost/none:1"}]}"#, "ImagePullBackOff"),
    (#"{"containers":[{"name":"redis","command":["sh","-c","exit 3"]}]}"#, "CrashLoopBackOff"),
    (#"{"nodeSelector":{"none":"none"}}"#, "Unschedulable"),
  ])
  func `a pod that cannot come back is given up early`(
    spec: String, reason: String
  ) async throws {
    let kubectl = Cluster.kubectl
    let patch = { (spec: String) in
      _ = try await kubectl.run([
        "patch", "statefulset/store", "--patch", #"{"spec":{"template":{"spec":\#(spec)}}}"#,
      ])
    }
    try await patch(spec)
    do {
      try await Cluster.server().restart(processID: 1, stopping: {}, timeout: .seconds(120))
      Issue.record("the pod came back")
    } catch TargetError.podDidNotComeBack(let found) {
      #expect(found.hasPrefix(reason))
    }
    try await patch(
      #"""
      {"nodeSelector":null,"containers":[{"name":"redis","image":"localhost/redis:7.0",
      "command":["redis-server","--dir","/data","--save",""]}]}
      """#)
    _ = try await Cluster.patientKubectl.run(["delete", "pod/store-0", "--now"])
    try await Cluster.server().waitUntilReady(timeout: .seconds(60))
  }

  private func uid() async throws -> String {
    let output = try await Cluster.kubectl.run([
      "get", "pod/store-0", "--output=jsonpath={.metadata.uid}",
    ])
    return String(decoding: output.standardOutput, as: UTF8.self)
  }
}

/// Sends PING and returns the first line of the answer, nothing when the connection breaks.
private func ping(_ address: ServerAddress) throws -> String {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var name = sockaddr_in()
  name.sin_family = sa_family_t(AF_INET)
  name.sin_port = in_port_t(UInt16(address.port).bigEndian)
  name.sin_addr.s_addr = unsafe inet_addr(address.host)
  let result = unsafe withUnsafePointer(to: &name) { pointer in
    unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
      unsafe connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
  }
  try #require(result == 0)
  let request = Array("PING\r\n".utf8)
  _ = unsafe send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
  var answer = [UInt8](repeating: 0, count: 64)
  let count = unsafe recv(descriptor, &answer, answer.count, 0)
  return String(decoding: answer.prefix(max(0, count)), as: UTF8.self)
    .split(separator: "\r\n").first.map(String.init) ?? ""
}
