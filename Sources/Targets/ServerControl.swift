/// Reaching, stopping and starting a Redis server, wherever it runs.
public protocol ServerControl: Sendable {
  /// Runs a body with an address where the server answers, valid for the length of the body.
  ///
  /// What was opened to make it reachable is gone when the call returns, however it ends.
  nonisolated(nonsending) func withAddress<R: Sendable>(
    _ body: nonisolated(nonsending) (ServerAddress) async throws -> R
  ) async throws -> R

  /// Stops the server and starts it again; returns when a new server process has started.
  ///
  /// The new server may still be loading, and its port may not answer yet.
  ///
  /// - Parameters:
  ///   - way: Of a server in a pod, how; elsewhere there is one way only.
  ///   - processID: The server's `process_id` in `INFO`; used where the server is on this host.
  ///   - stop: Makes the server exit (`SHUTDOWN NOSAVE`); called only where nothing else stops it.
  ///   - timeout: The longest wait without any change that can be seen.
  /// - Throws: ``TargetError/serverStillRunning(processID:)``,
  ///   ``TargetError/restartCommandFailed(status:output:)`` or
  ///   ``TargetError/podDidNotComeBack(reason:)``, among others.
  func restart(
    by way: RestartWay, processID: Int,
    stopping stop: @escaping @Sendable () async throws -> Void, timeout: Duration
  ) async throws

  /// Starts a server that is not running, in the way of ``restart(by:processID:stopping:timeout:)``.
  func start(timeout: Duration) async throws

  /// Waits until the place where the server runs calls it ready; returns at once where there is no
  /// such notion.
  func waitUntilReady(timeout: Duration) async throws

  /// Returns everything here that forbids a restore by restart; empty when nothing does.
  ///
  /// - Parameters:
  ///   - way: How it is to be restarted.
  ///   - processID: The server's `process_id` in `INFO`; used where the server is on this host.
  ///   - dataDirectory: The server's `dir`.
  func obstacles(
    to way: RestartWay, processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle]

  /// Returns what speaks against the files at a server's paths being its own; nil where nothing does.
  func doubt(aboutFilesOf server: ServerTrace) -> RestoreObstacle?

  /// Returns what a user should know before a restart; empty when nothing.
  func concerns(about way: RestartWay) async throws -> [RestartConcern]

  /// Returns whether a Sentinel runs there and no server; false where that cannot be seen.
  func isSentinel() async throws -> Bool

  /// Returns why the server does not run and will not come up by itself; nil where it runs, or may come up.
  ///
  /// What changes by itself (a container between two ends) is watched for the timeout at most.
  ///
  /// - Parameter dataDirectory: Its `dir`, where the user says it; nil on this host means that nothing can be told.
  func outage(dataDirectory: String?, timeout: Duration) async throws -> ServerOutage?

  /// Returns everything here that forbids a restore by the files of a server that does not run.
  func obstaclesToHolding(dataDirectory: String?) async throws -> [RestoreObstacle]

  /// Keeps the server from running and being started, and gives its files, until ``release(startsServer:)``.
  ///
  /// A hold that a killed run has left is taken over. A call that fails leaves no hold of its own.
  ///
  /// - Parameters:
  ///   - dataDirectory: Its `dir`, where the user says it.
  ///   - server: The server that runs and shall be stopped for it; nil where none may run.
  ///   - timeout: The longest wait without any change that can be seen.
  /// - Throws: ``TargetError/serverRuns(_:)`` where one runs that is not to be stopped, among others.
  func hold(
    dataDirectory: String?, stopping server: RunningServer?, timeout: Duration
  ) async throws -> HeldFiles

  /// Looks whether the files are still held: that no server runs on them.
  ///
  /// - Throws: ``TargetError/serverRuns(_:)`` where one does.
  func confirmHold(dataDirectory: String) async throws

  /// Ends a hold. Where the place starts servers by itself, it starts this one again.
  ///
  /// - Parameter startsServer: Whether it is started even where it was not to run before.
  func release(startsServer: Bool, timeout: Duration) async throws

  /// The words that the server is started with, as far as they can be seen.
  var startArguments: [String] { get }

  /// The memory at which the server would be killed, nil when there is no limit.
  var memoryLimitByteCount: UInt64? { get }
}

/// A server that runs, and how it is stopped.
public struct RunningServer: Sendable {
  /// Its `process_id` in `INFO`.
  public let processID: Int
  /// Makes it exit (`SHUTDOWN NOSAVE`); called only where nothing else stops it.
  public let stop: @Sendable () async throws -> Void

  /// Names it.
  public init(processID: Int, stop: @escaping @Sendable () async throws -> Void) {
    self.processID = processID
    self.stop = stop
  }
}

extension ServerControl {
  /// Returns nil: the files of a container are those of its server.
  public func doubt(aboutFilesOf server: ServerTrace) -> RestoreObstacle? { nil }

  /// Returns false: a server that is not in a pod was named.
  public func isSentinel() async throws -> Bool { false }
}
