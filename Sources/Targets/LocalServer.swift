import Glibc
import Subprocess
import SystemPackage

/// A server that answers at a host and port, and that a command of this host starts.
public struct LocalServer: ServerControl {
  /// Where the server answers.
  public let address: ServerAddress
  /// A command for `/bin/sh -c` that starts the server; nil when a restart is not possible.
  public let restartCommand: String?

  /// Nil: limits of this host are not looked at.
  public let memoryLimitByteCount: UInt64? = nil

  /// Creates the control of a server.
  public init(address: ServerAddress, restartCommand: String?) {
    self.address = address
    self.restartCommand = restartCommand
  }

  /// Runs a body with the address that was given.
  public nonisolated(nonsending) func withAddress<R: Sendable>(
    _ body: nonisolated(nonsending) (ServerAddress) async throws -> R
  ) async throws -> R {
    try await body(address)
  }

  /// Stops the server, waits until its process is gone, and runs the restart command.
  ///
  /// Only the command itself is waited for, and not even that when the server answers before. What
  /// it leaves lives on.
  public func restart(
    by way: RestartWay = .server, processID: Int,
    stopping stop: @escaping @Sendable () async throws -> Void,
    timeout: Duration
  ) async throws {
    guard let restartCommand else { throw TargetError.noRestartCommand }
    try await end(RunningServer(processID: processID, stop: stop), timeout: timeout)
    try await run(restartCommand, timeout: timeout)
  }

  /// Stops a server, and waits until its process is gone.
  func end(_ server: RunningServer, timeout: Duration) async throws {
    let process = ServerProcess(id: server.processID)
    try await server.stop()
    let deadline = ContinuousClock.now + timeout
    while let process, process.isRunning {
      guard ContinuousClock.now < deadline else {
        throw TargetError.serverStillRunning(processID: server.processID)
      }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  /// Runs the restart command, as ``restart(by:processID:stopping:timeout:)`` does in the end.
  public func start(timeout: Duration) async throws {
    guard let restartCommand else { throw TargetError.noRestartCommand }
    try await run(restartCommand, timeout: timeout)
  }

  /// The words of the restart command.
  public var startArguments: [String] {
    restartCommand.map(ShellWords.split) ?? []
  }

  /// Returns at once.
  public func waitUntilReady(timeout: Duration) async throws {}

  /// Returns whether the server is a process of this host that works in its data directory.
  public func obstacles(
    to way: RestartWay = .server, processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    switch ServerProcess.find(id: processID, inDirectory: dataDirectory) {
    case .serverInDirectory: []
    case .noProcess, .otherProgram: [.serverNotOnThisHost(processID: processID)]
    case .hidden: [.processHidden(processID: processID)]
    case .otherDirectory(let directory):
      [.serverElsewhere(processID: processID, directory: directory)]
    case .notPermitted:
      [.notChecked(message: "process \(processID) belongs to another user")]
    }
  }

  /// Returns what shows that the server is elsewhere, or behind a tunnel or in a container: paths of this
  /// host are not its paths then.
  ///
  /// Of a process of another user its directory cannot be seen; that alone is no doubt.
  public func doubt(aboutFilesOf server: ServerTrace) -> RestoreObstacle? {
    let id = server.processID
    switch ServerProcess.find(id: id, inDirectory: server.dataDirectory) {
    case .noProcess, .otherProgram: return .serverNotOnThisHost(processID: id)
    case .hidden: return .processHidden(processID: id)
    case .otherDirectory(let directory):
      return .serverElsewhere(processID: id, directory: directory)
    case .serverInDirectory, .notPermitted:
      guard let near = server.near, let far = server.far,
        ServerProcess(id: id)?.holds(far, connectedTo: near) == true
      else { return .connectionLeadsElsewhere(processID: id) }
      return nil
    }
  }

  /// Returns nothing.
  public func concerns(about way: RestartWay) async throws -> [RestartConcern] { [] }

  /// Runs the restart command until it has ended or the server answers, whichever is first: a command
  /// may also be the server itself, in the foreground.
  private func run(_ command: String, timeout: Duration) async throws {
    // Files and not pipes: a server that still writes its first log lines when the command ends
    // would be killed by a pipe that nobody reads.
    let output = try TemporaryFile()
    let status = try TemporaryFile()
    let shell = ChildProcess(
      name: "the restart command", executable: "/bin/sh",
      arguments: ["-c", "{ /bin/sh -c \"$1\" >&2; echo $?; } </dev/null &", "sh", command],
      limit: .total(timeout), ownSession: true)
    let (_, group) = try await shell.startDaemons(
      output: status.descriptor, error: output.descriptor)
    do {
      let deadline = ContinuousClock.now + timeout
      while !address.isListening {
        if let code = Int(try status.lastText(byteCount: 16).trimmed) {
          guard code == 0 else {
            throw TargetError.restartCommandFailed(
              status: code, output: try output.lastText(byteCount: 64 << 10).trimmed)
          }
          return
        }
        guard ContinuousClock.now < deadline else {
          throw TargetError.stalled(what: shell.name, seconds: timeout.secondCount)
        }
        try await Task.sleep(for: .milliseconds(20))
      }
    } catch {
      kill(-group, SIGKILL)
      throw error
    }
  }
}
