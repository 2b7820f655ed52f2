import Crypto
import Synchronization
import Targets
import Testing

extension KubernetesTests {
  @Test(arguments: [PodVolume.Transport.automatic, .copy, .execute])
  func `a file written to a pod is read back byte for byte`(
    transport: PodVolume.Transport
  ) async throws {
    var random = SplitMix(1)
    let bytes = random.bytes(20_000_003)
    let volume = Cluster.volume(transport: transport)
    try await volume.remove("/data/big.bin")
    let written = try await volume.write(bytes, to: "/data/big.bin")
    #expect(written.byteCount == 20_000_003)
    #expect(written.mode == 0o600)
    let (read, status) = try await volume.readAll("/data/big.bin")
    #expect(read == bytes)
    #expect(status == written)
    #expect(
      try await volume.sha256(of: "/data/big.bin", stallTimeout: .seconds(15))
        == SHA256.hash(data: bytes).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    try await volume.remove("/data/big.bin")
    #expect(try await volume.status(of: "/data/big.bin") == nil)
  }

  @Test func `a container without tar is read with exec`() async throws {
    var random = SplitMix(2)
    let bytes = random.bytes(20_000_000)
    let volume = Cluster.volume(Cluster.bare)
    try await volume.write(bytes, to: "/data/big.bin")
    #expect(try await volume.readAll("/data/big.bin").0 == bytes)
    try await volume.remove("/data/big.bin")
  }

  @Test(arguments: [
    "plain", "with blank", "a:b", "quote'\"`$(date)`", "line\nbreak", "-n", "ünï", "*?[x]",
  ])
  func `any name works`(name: String) async throws {
    let volume = Cluster.volume()
    try await volume.makeDirectory("/data/\(name).d", ownership: nil)
    let path = "/data/\(name).d/\(name)"
    try await volume.write(Array("content".utf8), to: path)
    #expect(try await volume.list("/data/\(name).d") == [name])
    #expect(try await volume.readAll(path).0 == Array("content".utf8))
    #expect(try await volume.contents(of: path, limit: 7) == Array("content".utf8))
    try await volume.link(path, to: path + ".2")
    try await volume.rename(path + ".2", to: path + ".3")
    #expect(try await volume.status(of: path) == volume.status(of: path + ".3"))
    try await volume.remove(path)
    try await volume.remove(path + ".3")
    try await volume.removeDirectory("/data/\(name).d")
    #expect(try await volume.list("/data/\(name).d") == nil)
  }

  @Test func `what is not there is nil or fileNotFound`() async throws {
    for transport in [PodVolume.Transport.copy, .execute] {
      let volume = Cluster.volume(transport: transport)
      let path = "/data/none"
      #expect(try await volume.status(of: path) == nil)
      #expect(try await volume.contents(of: path, limit: 9) == nil)
      #expect(try await volume.list(path) == nil)
      try await volume.remove(path)
      try await volume.removeDirectory(path)
      await #expect(throws: TargetError.fileNotFound(path: path)) { try await volume.readAll(path) }
      await #expect(throws: TargetError.fileNotFound(path: path)) {
        try await volume.rename(path, to: "/data/other")
      }
      await #expect(throws: TargetError.fileNotFound(path: path)) {
        try await volume.link(path, to: "/data/other")
      }
      await #expect(throws: TargetError.fileNotFound(path: "/none/x")) {
        try await volume.write([1], to: "/none/x")
      }
    }
  }

  @Test func `what is there is never overwritten, and nothing moves into a directory`()
    async throws
  {
    let volume = Cluster.volume()
    try await volume.write([1], to: "/data/one")
    try await volume.write([2], to: "/data/two")
    try await volume.makeDirectory("/data/dir", ownership: nil)
    await #expect(throws: TargetError.fileExists(path: "/data/one")) {
      try await volume.write([3], to: "/data/one")
    }
    await #expect(throws: TargetError.fileExists(path: "/data/two")) {
      try await volume.link("/data/one", to: "/data/two")
    }
    await #expect(throws: TargetError.fileExists(path: "/data/dir")) {
      try await volume.rename("/data/one", to: "/data/dir")
    }
    await #expect(throws: TargetError.fileExists(path: "/data/dir")) {
      try await volume.makeDirectory("/data/dir", ownership: nil)
    }
    await #expect(throws: TargetError.notRegularFile(path: "/data/dir")) {
      try await volume.readAll("/data/dir")
    }
    await #expect(throws: TargetError.tooLong(what: "/etc/passwd", limit: 5)) {
      try await volume.contents(of: "/etc/passwd", limit: 5)
    }
    try await volume.rename("/data/one", to: "/data/two")
    #expect(try await volume.contents(of: "/data/two", limit: 1) == [1])
    try await volume.remove("/data/two")
    try await volume.removeDirectory("/data/dir")
  }

  @Test func `root gives a file the ownership that is asked for`() async throws {
    let volume = Cluster.volume(Cluster.bare)
    let ownership = FileOwnership(userID: 1001, groupID: 7, mode: 0o640)
    let status = try await volume.write([1, 2], to: "/data/owned", ownership: ownership)
    #expect(status.ownership == ownership)
    #expect(try await volume.status(of: "/data/owned") == status)
    try await volume.makeDirectory("/data/dir", ownership: ownership)
    #expect(try await volume.status(of: "/data/dir")?.ownership == ownership)
    #expect(try await volume.status(of: "/data/dir")?.kind == .directory)
  }

  @Test func `others keep their own and set the mode`() async throws {
    let volume = Cluster.volume()
    let status = try await volume.write(
      [1], to: "/data/owned", ownership: FileOwnership(userID: 0, groupID: 1001, mode: 0o644))
    #expect(status.ownership == FileOwnership(userID: 1001, groupID: 1001, mode: 0o644))
    try await volume.remove("/data/owned")
    let closed = FileOwnership(userID: 1001, groupID: 1001, mode: 0)
    try await volume.write([1], to: "/data/closed", ownership: closed)
    await #expect(throws: TargetError.permissionDenied(path: "/data/closed")) {
      try await volume.contents(of: "/data/closed", limit: 9)
    }
    await #expect(throws: TargetError.permissionDenied(path: "/data/closed")) {
      try await volume.readAll("/data/closed")
    }
    try await volume.remove("/data/closed")
    await #expect(throws: TargetError.permissionDenied(path: "/etc/x")) {
      try await volume.write([1], to: "/etc/x")
    }
  }

  @Test func `a full volume is noSpace, and nothing is left there`() async throws {
    let volume = Cluster.volume(Cluster.bare)
    #expect(try await volume.freeByteCount(at: "/dev/shm") < 70 << 20)
    await #expect(throws: TargetError.noSpace(path: "/dev/shm/x")) {
      try await volume.write([UInt8](repeating: 7, count: 70 << 20), to: "/dev/shm/x")
    }
    #expect(try await volume.list("/dev/shm") == [])
  }

  @Test func `links across file systems are told apart`() async throws {
    let volume = Cluster.volume(Cluster.bare)
    try await volume.write([1], to: "/data/here")
    await #expect(throws: TargetError.self) {
      try await volume.link("/data/here", to: "/dev/shm/there")
    }
    await #expect(
      throws: TargetError.io(path: "/data/here", message: "not on the same file system")
    ) {
      try await volume.rename("/data/here", to: "/dev/shm/there")
    }
  }

  @Test(arguments: [PodVolume.Transport.copy, .execute])
  func `a read that is given up leaves no process in the pod`(
    transport: PodVolume.Transport
  ) async throws {
    struct Full: Error {}
    let volume = Cluster.volume(transport: transport)
    _ = try await Cluster.kubectl.run([
      "exec", "store-0", "--container=redis", "--", "truncate", "--size=300M", "/data/sparse",
    ])
    await #expect(throws: Full.self) {
      try await volume.read("/data/sparse", stallTimeout: .seconds(30)) { _ in throw Full() }
    }
    let script = "grep -lE '^(tar|cat)$' /proc/[0-9]*/comm"
    var rest = try await processes(script)
    for _ in 0..<50 where !rest.isEmpty {
      try await Task.sleep(for: .milliseconds(200))
      rest = try await processes(script)
    }
    #expect(rest == "")
    try await volume.remove("/data/sparse")
  }

  private func processes(_ script: String) async throws -> String {
    let output = try await Cluster.kubectl.run([
      "exec", "store-0", "--container=redis", "--", "sh", "-c", script + "; true",
    ])
    return String(decoding: output.standardOutput, as: UTF8.self)
  }

  @Test(arguments: [PodVolume.Transport.copy, .execute])
  func `a pod that is deleted in the middle of a read is cutShort`(
    transport: PodVolume.Transport
  ) async throws {
    let volume = Cluster.volume(transport: transport)
    _ = try await Cluster.kubectl.run([
      "exec", "store-0", "--container=redis", "--", "truncate", "--size=300M", "/data/sparse",
    ])
    let pieces = Atomic(0)
    do {
      _ = try await volume.read("/data/sparse", stallTimeout: .seconds(30)) { _ in
        guard pieces.add(1, ordering: .relaxed).newValue == 1 else { return }
        _ = try await Cluster.patientKubectl.run(["delete", "pod/store-0", "--now"])
      }
      Issue.record("the read came to an end")
    } catch TargetError.cutShort(let path, let expected, let received) {
      #expect(path == "/data/sparse")
      #expect(expected == 300 << 20)
      #expect(received < expected)
    }
    try await Cluster.server().waitUntilReady(timeout: .seconds(60))
    try await volume.remove("/data/sparse")
  }
}
