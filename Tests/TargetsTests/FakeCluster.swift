import FoundationEssentials
import Glibc
import Synchronization

@testable import Targets

/// A folder with a `kubectl` that runs commands on this host and fails as it is told.
final class FakeCluster: Sendable {
  let directory: String

  init(control: String = "") throws {
    directory = try Scratch.make()
    let fixture = "/" + #filePath.split(separator: "/").dropLast().joined(separator: "/")
    // A link and no copy: a file that was just written cannot be run while a child of another test
    // still holds it open.
    try FileManager.default.createSymbolicLink(
      atPath: "\(directory)/kubectl", withDestinationPath: "\(fixture)/Fixtures/kubectl")
    try FileManager.default.createDirectory(
      atPath: "\(directory)/data", withIntermediateDirectories: false)
    try set(control)
  }

  deinit {
    Scratch.remove(directory)
  }

  /// Where files of the "pod" can be.
  var data: String { "\(directory)/data" }

  func set(_ control: String) throws {
    try put(control, "control")
  }

  func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)"))
  }

  func text(_ name: String) throws -> String {
    String(decoding: try Data(contentsOf: URL(filePath: "\(directory)/\(name)")), as: UTF8.self)
  }

  func kubectl(timeout: Duration = .seconds(30)) -> Kubectl {
    Kubectl(executable: "\(directory)/kubectl", namespace: "space", timeout: timeout)
  }

  func volume(
    _ transport: PodVolume.Transport = .automatic, timeout: Duration = .seconds(30)
  ) -> PodVolume {
    PodVolume(
      kubectl: kubectl(timeout: timeout), container: PodContainer(pod: "pod-0", container: "redis"),
      transport: transport)
  }

  func server() -> PodServer {
    PodServer(
      kubectl: kubectl(), container: PodContainer(pod: "pod-0", container: "redis"), port: 6379,
      memoryLimitByteCount: nil, returnPatience: .zero)
  }

  /// The first words of all calls so far.
  func verbs() throws -> [String] {
    try text("calls").split(separator: "\n").compactMap { line in
      line.split(separator: " ").first { !$0.hasPrefix("--") }.map(String.init)
    }.filter { ["exec", "cp", "get", "port-forward", "config", "delete"].contains($0) }
  }

  /// How many processes of all calls are there.
  func processCount() throws -> Int {
    try text("processes").split(separator: "\n").compactMap { Int($0) }
      .filter { ServerProcess(id: $0) != nil }.count
  }

  /// Whether the processes of all calls end by themselves; a killed one needs a moment to.
  func isQuiet() async throws -> Bool {
    for _ in 0..<500 {
      if try processCount() == 0 { return true }
      try await Task.sleep(for: .milliseconds(20))
    }
    return false
  }
}

/// Folders for the length of a test.
enum Scratch {
  static func make() throws -> String {
    let path = "/tmp/raibid-test-\(UInt64.random(in: 0 ... .max))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    return path
  }

  static func remove(_ path: String) {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      print("cannot remove \(path): \(error)")
    }
  }

  static func withFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = try make()
    defer { remove(path) }
    return try await body(path)
  }
}
