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
  /// Only the command itself is waited for. A daemon that it leaves lives on, also when it keeps
  /// the command's output open.
  public func restart(
    processID: Int, stopping stop: @Sendable () async throws -> Void, timeout: Duration
  ) async throws {
    guard let restartCommand else { throw TargetError.noRestartCommand }
    let process = ServerProcess(id: processID)
    try await stop()
    let deadline = ContinuousClock.now + timeout
    while let process, process.isRunning {
      guard ContinuousClock.now < deadline else {
        throw TargetError.serverStillRunning(processID: processID)
      }
      try await Task.sleep(for: .milliseconds(20))
    }
    try await Self.run(restartCommand, timeout: timeout)
  }

  public func start(timeout: Duration) async throws {
    guard let restartCommand else { throw TargetError.noRestartCommand }
    try await Self.run(restartCommand, timeout: timeout)
  }

  public var startArguments: [String] {
    restartCommand?.split(separator: " ").map(String.init) ?? []
  }

  /// Returns at once.
  public func waitUntilReady(timeout: Duration) async throws {}

  /// Returns nothing: what forbids a restore here is found with
  /// ``ServerProcess/find(id:inDirectory:)``.
  public func obstacles(
    processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    switch ServerProcess.find(id: processID, inDirectory: dataDirectory) {
    case .serverInDirectory: []
    case .noProcess, .otherProgram: [.serverNotOnThisHost(processID: processID)]
    case .otherDirectory(let directory):
      [.serverElsewhere(processID: processID, directory: directory)]
    case .notPermitted:
      [.notChecked(message: "process \(processID) belongs to another user")]
    }
  }

  private static func run(_ command: String, timeout: Duration) async throws {
    // A file and not a pipe: a server that still writes its first log lines when the command ends
    // would be killed by a pipe that nobody reads.
    let output = try TemporaryFile()
    let child = ChildProcess(
      name: "the restart command", executable: "/bin/sh", arguments: ["-c", command],
      limit: .total(timeout))
    let status = try await child.runLeavingDaemons(output: output.descriptor)
    guard status == 0 else {
      throw TargetError.restartCommandFailed(
        status: status, output: try output.lastText(byteCount: 64 << 10).trimmed)
    }
  }
}
