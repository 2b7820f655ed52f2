import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import Targets

private let transports = [PodVolume.Transport.copy, .execute]

/// What is promised when kubectl lies, dies or says nothing.
struct KubectlFaultTests {
  @Test(arguments: transports, [0, 1, 65_536, 2_999_999])
  func `a read that ends early with exit status 0 is cutShort`(
    transport: PodVolume.Transport, byteCount: Int
  ) async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 3_000_000), to: path)
    let volume = cluster.volume(transport)
    try cluster.set(transport.cut(byteCount))
    await #expect(
      throws: TargetError.cutShort(
        path: path, expected: 3_000_000, received: UInt64(byteCount))
    ) { try await volume.readAll(path) }
    #expect(try await cluster.isQuiet())
  }

  @Test func `a short answer that is cut with exit status 0 is incomplete`() async throws {
    let cluster = try FakeCluster()
    let volume = cluster.volume()
    let path = "\(cluster.data)/file"
    try await volume.write(Array("content".utf8), to: path)
    for byteCount in [0, 3, 9, 10, 14] {
      try cluster.set("cut=\(byteCount)")
      let incomplete = TargetError.incompleteAnswer(what: "kubectl exec")
      await #expect(throws: incomplete) { try await volume.status(of: path) }
      await #expect(throws: incomplete) { try await volume.contents(of: path, limit: 99) }
      await #expect(throws: incomplete) { try await volume.list(cluster.data) }
    }
    for byteCount in [0, 3] {
      try cluster.set("cut=\(byteCount)")
      let incomplete = TargetError.incompleteAnswer(what: "kubectl exec")
      await #expect(throws: incomplete) { try await volume.remove("\(cluster.data)/none") }
      await #expect(throws: incomplete) {
        try await volume.sha256(of: path, stallTimeout: .seconds(15))
      }
    }
  }

  @Test func `a write that ends early with exit status 0 is cutShort and leaves nothing`()
    async throws
  {
    let cluster = try FakeCluster(control: "cut_input=100000")
    let path = "\(cluster.data)/file"
    await #expect(
      throws: TargetError.cutShort(path: path, expected: 1 << 20, received: 100_000)
    ) {
      try await cluster.volume().write([UInt8](repeating: 1, count: 3_000_000), to: path)
    }
    #expect(try await LocalVolume().list(cluster.data) == [])
    #expect(try await cluster.isQuiet())
  }

  @Test func `a write never removes the file of somebody else`() async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await LocalVolume().write([7], to: path)
    try cluster.set("cut=0")
    await #expect(throws: TargetError.self) { try await cluster.volume().write([1], to: path) }
    try cluster.set("fail=broken")
    await #expect(throws: TargetError.self) { try await cluster.volume().write([1], to: path) }
    #expect(try await LocalVolume().contents(of: path, limit: 9) == [7])
  }

  @Test func `a kubectl that says nothing is ended, also when it ignores SIGTERM`() async throws {
    let cluster = try FakeCluster(control: "deaf=1; straggler=1; hang=1")
    let volume = cluster.volume(.execute, timeout: .milliseconds(300))
    let stalled = TargetError.stalled(what: "kubectl exec", seconds: 0.3)
    await #expect(throws: stalled) { try await volume.status(of: "/x") }
    await #expect(throws: stalled) {
      try await volume.read("/x", stallTimeout: .milliseconds(300)) { _ in }
    }
    await #expect(throws: stalled) {
      try await volume.write("/x", ownership: nil, stallTimeout: .milliseconds(300)) { nil }
    }
    await #expect(throws: stalled) {
      try await volume.sha256(of: "/x", stallTimeout: .milliseconds(300))
    }
    #expect(try await cluster.isQuiet())
  }

  @Test(arguments: transports)
  func `a stream that stops in the middle is stalled`(
    transport: PodVolume.Transport
  ) async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 300_000), to: path)
    try cluster.set(transport.hang(200_000))
    let received = Atomic(0)
    await #expect(throws: TargetError.stalled(what: transport.callName, seconds: 1)) {
      try await cluster.volume(transport).read(path, stallTimeout: .seconds(1)) { piece in
        received.add(piece.count, ordering: .relaxed)
      }
    }
    #expect(received.load(ordering: .relaxed) <= 200_000)
    #expect(try await cluster.isQuiet())
  }

  @Test(arguments: transports)
  func `a slow consumer is not a stall, and is not run over`(
    transport: PodVolume.Transport
  ) async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 2 << 20), to: path)
    let busy = Atomic(false)
    let total = Atomic(0)
    try await cluster.volume(transport).read(path, stallTimeout: .seconds(2)) { piece in
      let wasBusy = busy.exchange(true, ordering: .relaxed)
      #expect(!wasBusy)
      if total.add(piece.count, ordering: .relaxed).newValue == piece.count {
        try await Task.sleep(for: .seconds(3))
      }
      busy.store(false, ordering: .relaxed)
    }
    #expect(total.load(ordering: .relaxed) == 2 << 20)
  }

  @Test(arguments: transports)
  func `an error of the consumer ends the transfer and comes back`(
    transport: PodVolume.Transport
  ) async throws {
    struct Full: Error {}
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 3 << 20), to: path)
    await #expect(throws: Full.self) {
      try await cluster.volume(transport).read(path, stallTimeout: .seconds(15)) { _ in
        throw Full()
      }
    }
    #expect(try await cluster.isQuiet())
  }

  @Test(arguments: transports)
  func `cancellation ends every process of a read`(transport: PodVolume.Transport) async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 300_000), to: path)
    try cluster.set("straggler=1; \(transport.hang(200_000))")
    let (begun, signal) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await cluster.volume(transport).read(path, stallTimeout: .seconds(100)) { _ in
        signal.yield()
      }
    }
    for await _ in begun { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await cluster.isQuiet())
  }

  @Test func `cancellation of a write leaves no file and no process`() async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    let (begun, signal) = AsyncStream<Void>.makeStream()
    let task = Task {
      try await cluster.volume().write(path, ownership: nil, stallTimeout: .seconds(100)) {
        signal.yield()
        return [UInt8](repeating: 1, count: 100_000)
      }
    }
    for await _ in begun { break }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
    #expect(try await LocalVolume().list(cluster.data) == [])
    #expect(try await cluster.isQuiet())
  }

  @Test func `a flood on standard error blocks nothing and is kept short`() async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([1, 2, 3], to: path)
    try cluster.set("flood=10000")
    for transport in transports {
      #expect(try await cluster.volume(transport).readAll(path).0 == [1, 2, 3])
    }
    #expect(try await cluster.volume().contents(of: path, limit: 9) == [1, 2, 3])
    try cluster.set("flood=10000; fail=broken")
    do {
      _ = try await cluster.kubectl().run(["get", "pods"])
      Issue.record("no error")
    } catch TargetError.commandFailed(let name, let status, let message) {
      #expect(name == "kubectl get")
      #expect(status == 1)
      #expect(message.hasPrefix("xxxxx"))
      #expect(message.hasSuffix("\nbroken"))
      #expect(message.utf8.count < 66 << 10)
    }
  }

  @Test(arguments: transports)
  func `a straggler that holds the pipes open keeps nobody waiting, and is ended`(
    transport: PodVolume.Transport
  ) async throws {
    let cluster = try FakeCluster(control: "straggler=1")
    let path = "\(cluster.data)/file"
    let bytes = [UInt8](repeating: 5, count: 1 << 20)
    try await cluster.volume().write(bytes, to: path)
    #expect(try await cluster.volume(transport).readAll(path).0 == bytes)
    #expect(try await cluster.kubectl().currentContext() == "fake")
    #expect(try await cluster.isQuiet())
  }

  @Test(arguments: [
    "cut=0", "cut=1", "fail=broken", "cut_input=0", "deaf=1; straggler=1", "hang=1",
    "straggler=1; hang_after=1",
  ])
  func `what waits to tell the status after a copy may break, and it is asked for anew`(
    control: String
  ) async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    let bytes = [UInt8](repeating: 1, count: 300_000)
    try await cluster.volume().write(bytes, to: path)
    try cluster.set(#"case "$*" in *"exec --stdin"*) \#(control) ;; esac"#)
    let received = Mutex<[UInt8]>([])
    try await cluster.volume(.copy).read(path, stallTimeout: .seconds(1)) { piece in
      received.withLock { $0 += piece }
    }
    #expect(received.withLock { $0 } == bytes)
    #expect(try await cluster.isQuiet())
  }

  @Test func `a file that is gone when all of it is copied has changed`() async throws {
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    try await cluster.volume().write([UInt8](repeating: 1, count: 300_000), to: path)
    await #expect(throws: TargetError.changedWhileReading(path: path)) {
      try await cluster.volume(.copy).read(path, stallTimeout: .seconds(15)) { _ in
        try? FileManager.default.removeItem(atPath: path)
      }
    }
    #expect(try await cluster.isQuiet())
  }

  @Test func `names that kubectl cp would split are read with exec`() async throws {
    let cluster = try FakeCluster()
    for name in ["plain", "a:b", "a b"] {
      try await LocalVolume().write([1], to: "\(cluster.data)/\(name)")
    }
    for (name, verbs) in [
      ("plain", ["cp", "exec", "exec"]), ("a:b", ["exec", "exec"]), ("a b", ["exec", "exec"]),
      ("../data/plain", ["exec", "exec"]),
    ] {
      try cluster.put("", "calls")
      try await cluster.volume().readAll("\(cluster.data)/\(name)")
      #expect(try cluster.verbs().sorted() == verbs)
    }
  }

  @Test func `without tar in the container a file is read with exec`() async throws {
    let cluster = try FakeCluster()
    try await cluster.volume().write([1, 2], to: "\(cluster.data)/file")
    try cluster.put("", "calls")
    try cluster.set(Tools.path(cluster, ["sh", "stat", "cat"]))
    #expect(try await cluster.volume().readAll("\(cluster.data)/file").0 == [1, 2])
    #expect(try cluster.verbs() == ["exec", "exec"])
  }

  @Test(arguments: [
    (["tar"], "cp", "/data/dump.rdb"), ([], "exec", "/data/dump.rdb"),
    (["tar"], "exec", "/data/a b.rdb"), (["-stat", "tar"], nil, "/data/dump.rdb"),
    (["-head"], nil, "/data/dump.rdb"),
  ])
  func `the way of a file is the first that the container has the tools for`(
    tools: [String], way: String?, path: String
  ) async throws {
    let cluster = try FakeCluster()
    let missing = tools.filter { $0.hasPrefix("-") }.map { String($0.dropFirst()) }
    let basic = ["sh", "cat", "head", "readlink", "stat"].filter { !missing.contains($0) }
    try cluster.set(Tools.path(cluster, basic + tools.filter { !$0.hasPrefix("-") }))
    #expect(try await cluster.volume().transport(for: path, slowly: false)?.name == way)
    #expect(try cluster.verbs() == ["exec"])
  }

  @Test func `what is read slowly is read with exec, although there is tar`() async throws {
    let cluster = try FakeCluster()
    let way = try await cluster.volume().transport(for: "/data/dump.rdb", slowly: true)
    #expect(way?.name == "exec")
  }

  @Test func `the command in the container does not end before the reader has everything`()
    async throws
  {
    // What is under way when the command ends is lost, as in a cluster with a slow reader.
    let cluster = try FakeCluster()
    let path = "\(cluster.data)/file"
    for byteCount in [0, 1, 3 << 20] {
      let bytes = [UInt8](repeating: 1, count: byteCount)
      try await LocalVolume().remove(path)
      try await LocalVolume().write(bytes, to: path)
      try cluster.set("lossy=1")
      let seen = Atomic(0)
      try await cluster.volume(.execute).read(path, stallTimeout: .seconds(60)) { piece in
        try await Task.sleep(for: .milliseconds(1))
        seen.add(piece.count, ordering: .relaxed)
      }
      let total = seen.load(ordering: .relaxed)
      #expect(total == byteCount)
    }
    #expect(try await cluster.isQuiet())
  }

  @Test func `a container without a shell has no way for files, unless one was chosen`()
    async throws
  {
    let cluster = try FakeCluster(
      control: #"fail='exec: "sh": executable file not found in $PATH: unknown'"#)
    #expect(try await cluster.volume().transport(for: "/data/dump.rdb", slowly: false)?.name == nil)
    for transport in transports {
      let way = try await cluster.volume(transport).transport(for: "/data/dump.rdb", slowly: false)
      #expect(way?.name == transport.rawValue)
    }
    try cluster.set("fail=broken")
    await #expect(throws: TargetError.self) {
      try await cluster.volume().transport(for: "/data/dump.rdb", slowly: false)
    }
  }

  @Test func `a digest without sha256sum comes from openssl, or from the bytes`() async throws {
    let cluster = try FakeCluster()
    try await cluster.volume().write(Array("abc".utf8), to: "\(cluster.data)/file")
    let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    for tools in [["openssl"], []] {
      try cluster.set(Tools.path(cluster, ["sh", "stat", "cat"] + tools))
      #expect(
        try await cluster.volume().sha256(
          of: "\(cluster.data)/file", stallTimeout: .seconds(15)) == digest)
    }
  }

  @Test func `a container without stat says what it lacks`() async throws {
    let cluster = try FakeCluster()
    try cluster.set(Tools.path(cluster, ["sh", "cat"]))
    await #expect(
      throws: TargetError.toolMissingInContainer(name: "stat", container: "redis")
    ) { try await cluster.volume().status(of: cluster.data) }
  }

  @Test func `a kubectl that is not there is named`() async throws {
    for name in ["no-such-kubectl", "/no/such/kubectl"] {
      let kubectl = Kubectl(executable: name, namespace: "space")
      await #expect(throws: TargetError.toolMissing(name: name)) {
        try await kubectl.run(["get", "pods"])
      }
      let volume = PodVolume(
        kubectl: kubectl, container: PodContainer(pod: "p", container: "c"), transport: .copy)
      await #expect(throws: TargetError.toolMissing(name: name)) {
        try await volume.readAll("/data/dump.rdb")
      }
      await #expect(throws: TargetError.toolMissing(name: name)) {
        try await kubectl.withPortForward(to: "p", port: 1) { _ in }
      }
    }
  }
}

/// Search paths for a container that has only some tools.
enum Tools {
  static func path(_ cluster: FakeCluster, _ names: [String]) throws -> String {
    let links = names.map { "ln -sf $(command -v \($0)) \"$here/bin/\($0)\"" }
    return """
      rm -rf "$here/bin"; mkdir "$here/bin"
      \(links.joined(separator: "\n"))
      for tool in grep tr rm mv head; do ln -sf $(command -v $tool) "$here/bin/.$tool"; done
      rm() { command /bin/rm "$@"; }
      PATH=$here/bin
      """
  }
}

extension PodVolume.Transport {
  var callName: String { self == .copy ? "kubectl cp" : "kubectl exec" }

  /// Control that ends the data of a read early; only `kubectl cp` in the way that uses it.
  func cut(_ byteCount: Int) -> String { only("cut=\(byteCount)") }

  func hang(_ byteCount: Int) -> String { only("hang_after=\(byteCount)") }

  private func only(_ control: String) -> String {
    let call = self == .copy ? #"" cp ""# : #""exec --stdin""#
    return #"case "$*" in *\#(call)*) \#(control) ;; esac"#
  }
}
