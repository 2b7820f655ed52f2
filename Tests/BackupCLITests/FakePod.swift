import FoundationEssentials
import TestSupport
import Testing

/// A real server of this host as if it were in a pod: with a kubectl that acts on this host, and fails as
/// it is told.
struct FakePod: Sendable {
  let server: RealServer
  /// Where that kubectl is, with what it was told and has to tell.
  let directory: String
  let archives: String

  /// Runs a body with a server that has some data.
  static func with(
    configuration: [String] = [], _ body: (FakePod) async throws -> Void
  ) async throws {
    let lines = ["save \"\"", "repl-diskless-sync-delay 0", "rdbcompression no"]
    try await withRealServer(.primary, configuration: lines + configuration) { server in
      try await server.cli("DEBUG", "POPULATE", "2000", "key", "100")
      try await withTemporaryDirectory { directory in
        let pod = FakePod(server: server, directory: directory, archives: directory + "/archives")
        try FileManager.default.createDirectory(
          atPath: pod.archives, withIntermediateDirectories: false)
        let fixtures = URL(filePath: #filePath).deletingLastPathComponent()
          .deletingLastPathComponent().appending(path: "TargetsTests/Fixtures/kubectl").path
        // A link and no copy: a file that was just written cannot be run while a child of another test
        // still holds it open.
        try FileManager.default.createSymbolicLink(
          atPath: directory + "/kubectl", withDestinationPath: fixtures)
        try pod.put(Self.description(), "pod-raibid-redis-master-0")
        try pod.fail("")
        try await body(pod)
      }
    }
  }

  /// The program, with that kubectl.
  var tool: BackupTool {
    var tool = BackupTool(
      options: ["--directory", archives, "--stall-timeout", "3s"], home: directory)
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    tool.environment["PATH"] = directory + ":" + path
    return tool
  }

  /// Tells the kubectl how to fail: lines for a shell.
  func fail(_ control: String) throws {
    try put("port=\(server.port)\n\(control)\n", "control")
  }

  /// How often that kubectl was called.
  func callCount() throws -> Int {
    try String(contentsOfFile: directory + "/calls", encoding: .utf8)
      .split(separator: "\n").count
  }

  /// What a run has left: processes, and files that are no archive.
  func leftovers() throws -> [String] {
    let processes = try String(contentsOfFile: directory + "/processes", encoding: .utf8)
      .split(separator: "\n").map { "/proc/\($0)" }
      .filter { FileManager.default.fileExists(atPath: $0) }
    let suffixes = [".rdb.gz", ".rdb.gz.sha256", ".json"]
    return try processes
      + names(in: archives).filter { name in !suffixes.contains { name.hasSuffix($0) } }
  }

  /// Gives that kubectl an answer to tell.
  func put(_ text: String, _ name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(directory)/\(name)"))
  }

  /// A pod that runs, as the API describes it.
  static func description(
    _ name: String = "raibid-redis-master-0", phase: String = "Running"
  ) -> String {
    """
    {"metadata": {"name": "\(name)", "uid": "1"},
     "spec": {"containers": [{"name": "redis", "image": "redis:test"}]},
     "status": {"phase": "\(phase)",
      "containerStatuses": [{"name": "redis", "state": {"\(phase == "Running" ? "running" : "waiting")": {}}, "restartCount": 0}]}}
    """
  }
}
