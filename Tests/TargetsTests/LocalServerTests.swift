import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
import Testing

@testable import Targets

struct LocalServerTests {
  private func server(_ command: String?) -> LocalServer {
    LocalServer(address: ServerAddress(host: "localhost", port: 6379), restartCommand: command)
  }

  /// Starts `sleep` under another name in a folder; returns its number.
  private func start(_ name: String, in folder: String) async throws -> Int {
    let script = """
      cd "$1" && ln -s "$(command -v sleep)" "$2"
      "./$2" 1000 >/dev/null 2>&1 &
      while [ "$(cat /proc/$!/comm)" != "$2" ]; do :; done
      echo $!
      """
    let result = try await Subprocess.run(
      .path("/bin/sh"), arguments: ["-c", script, "sh", folder, name],
      output: .string(limit: 100))
    return try #require(Int(result.standardOutput.trimmed))
  }

  @Test func `a restart stops the server, waits for its end, and runs the command`() async throws {
    try await Scratch.withFolder { folder in
      let id = try await start("redis-server", in: folder)
      let isRunning = "grep -qs '^State:[[:space:]]*[^ZX[:space:]]' /proc/\(id)/status"
      let command = "if \(isRunning); then touch '\(folder)/early'; fi"
      try await server(command).restart(
        processID: id, stopping: { kill(pid_t(id), SIGTERM) }, timeout: .seconds(30))
      #expect(ServerProcess(id: id) == nil)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/early"))
    }
  }

  @Test func `a server that does not stop is not started twice`() async throws {
    try await Scratch.withFolder { folder in
      let id = try await start("redis-server", in: folder)
      await #expect(throws: TargetError.serverStillRunning(processID: id)) {
        try await server("touch '\(folder)/started'").restart(
          processID: id, stopping: {}, timeout: .milliseconds(200))
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/started"))
      kill(pid_t(id), SIGKILL)
    }
  }

  @Test func `a daemon that keeps the output open lives on and keeps nobody waiting`()
    async throws
  {
    try await Scratch.withFolder { folder in
      let script = """
        (trap '' HUP; while :; do echo log; sleep 0.01; done) &
        echo $! > '\(folder)/pid'
        """
      try await server(script).restart(processID: 0, stopping: {}, timeout: .seconds(30))
      let text = try Data(contentsOf: URL(filePath: "\(folder)/pid"))
      let id = try #require(Int(String(decoding: text, as: UTF8.self).trimmed))
      let daemon = try #require(ServerProcess(id: id))
      // Long enough for it to write, and to die of it.
      try await Task.sleep(for: .milliseconds(100))
      #expect(daemon.isRunning)
      kill(pid_t(id), SIGKILL)
    }
  }

  @Test func `a command that fails is shown with its output`() async throws {
    await #expect(
      throws: TargetError.restartCommandFailed(status: 3, output: "out\nerr")
    ) {
      try await server("echo out; echo err >&2; exit 3").restart(
        processID: 0, stopping: {}, timeout: .seconds(30))
    }
    await #expect(throws: TargetError.restartCommandFailed(status: 137, output: "Killed")) {
      try await server("kill -9 $$").restart(
        processID: 0, stopping: {}, timeout: .seconds(30))
    }
    do {
      try await server("head -c 300000 /dev/zero | tr '\\0' x; echo end; exit 1").restart(
        processID: 0, stopping: {}, timeout: .seconds(30))
      Issue.record("no error")
    } catch TargetError.restartCommandFailed(_, let output) {
      #expect(output.hasSuffix("xxx\nend") || output.hasSuffix("xxxend"))
      #expect(output.utf8.count <= 64 << 10)
    }
  }

  @Test(.timeLimit(.minutes(1)))
  func `a command that does not end is ended with its group`() async throws {
    try await Scratch.withFolder { folder in
      let script = "trap '' TERM; echo $$ > '\(folder)/pid'; while :; do sleep 1; done"
      await #expect(throws: TargetError.stalled(what: "the restart command", seconds: 0.3)) {
        try await server(script).restart(
          processID: 0, stopping: {}, timeout: .milliseconds(300))
      }
      let text = try Data(contentsOf: URL(filePath: "\(folder)/pid"))
      let id = try #require(Int(String(decoding: text, as: UTF8.self).trimmed))
      // A killed process goes a moment after the signal.
      while ServerProcess(id: id) != nil { try await Task.sleep(for: .milliseconds(10)) }
    }
  }

  @Test func `a command reads nothing from our input`() async throws {
    try await server("test -z \"$(cat)\"").restart(
      processID: 0, stopping: {}, timeout: .seconds(30))
  }

  @Test func `an error of the stop, or no command, starts nothing`() async throws {
    struct Broken: Error {}
    try await Scratch.withFolder { folder in
      await #expect(throws: Broken.self) {
        try await server("touch '\(folder)/started'").restart(
          processID: 0, stopping: { throw Broken() }, timeout: .seconds(30))
      }
      await #expect(throws: TargetError.noRestartCommand) {
        try await server(nil).restart(
          processID: 0, stopping: { Issue.record("stopped") }, timeout: .seconds(30))
      }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/started"))
    }
  }

  @Test(arguments: ["redis-server", "valkey-server"])
  func `a server is known by its name and its directory`(name: String) async throws {
    try await Scratch.withFolder { folder in
      let id = try await start(name, in: folder)
      #expect(ServerProcess.find(id: id, inDirectory: folder) == .serverInDirectory)
      #expect(ServerProcess.find(id: id, inDirectory: "\(folder)/../") != .serverInDirectory)
      #expect(
        ServerProcess.find(id: id, inDirectory: "/") == .otherDirectory(directory: folder))
      kill(pid_t(id), SIGKILL)
    }
  }

  @Test func `other processes are not taken for a server`() async throws {
    try await Scratch.withFolder { folder in
      let id = try await start("other", in: folder)
      #expect(
        ServerProcess.find(id: id, inDirectory: folder) == .otherProgram(name: "other"))
      kill(pid_t(id), SIGKILL)
    }
    #expect(ServerProcess.find(id: 0, inDirectory: "/") == .noProcess)
    #expect(ServerProcess.find(id: -1, inDirectory: "/") == .noProcess)
    #expect(ServerProcess.find(id: .max, inDirectory: "/") == .noProcess)
  }

  @Test func `a local target has its address, its restart command's words and no limit`()
    async throws
  {
    let target = Target.local(host: "localhost", port: 7000, restartCommand: "redis-server /x.conf")
    #expect(target.source == TargetSource(target: .local, host: "localhost", port: 7000))
    let address = try await target.control.withAddress { $0 }
    #expect(address == ServerAddress(host: "localhost", port: 7000))
    #expect(target.control.startArguments == ["redis-server", "/x.conf"])
    #expect(
      try await target.control.obstacles(
        to: .server, processID: Int(getpid()), dataDirectory: "/data")
        == [.serverNotOnThisHost(processID: Int(getpid()))])
    #expect(target.control.memoryLimitByteCount == nil)
    try await target.control.waitUntilReady(timeout: .seconds(1))
  }
}
