import ArchiveStore
import FoundationEssentials
import Glibc
import Synchronization
import Targets
import TestSupport
import Workers

@testable import Operations

/// The files of this host, with something that happens before they are copied.
final class DisturbedVolume: DataVolume {
  private struct Faults {
    var hasLinks = true
    var cutsShort = false
    var freeByteCount: UInt64?
    var beforeCopying: @Sendable (_ path: String) async throws -> Void = { _ in }
    var beforeNaming: @Sendable (_ path: String) async throws -> Void = { _ in }
    var beforeReplacing: @Sendable (_ text: String) async throws -> Void = { _ in }
  }

  private let files = LocalVolume()
  private let faults = Mutex(Faults())

  /// Whether files can have second names.
  var hasLinks: Bool {
    get { faults.withLock { $0.hasLinks } }
    set { faults.withLock { $0.hasLinks = newValue } }
  }

  /// Whether a file that is written stays cut short, as after a kill.
  var cutsShort: Bool {
    get { faults.withLock { $0.cutsShort } }
    set { faults.withLock { $0.cutsShort = newValue } }
  }

  /// The free space that the volume seems to have; nil for what it has.
  var freeByteCount: UInt64? {
    get { faults.withLock { $0.freeByteCount } }
    set { faults.withLock { $0.freeByteCount = newValue } }
  }

  /// Called before a whole file is read or written.
  var beforeCopying: @Sendable (_ path: String) async throws -> Void {
    get { faults.withLock { $0.beforeCopying } }
    set { faults.withLock { $0.beforeCopying = newValue } }
  }

  /// Called before a file gets a name, second or first, or loses one, and before a directory is made.
  var beforeNaming: @Sendable (_ path: String) async throws -> Void {
    get { faults.withLock { $0.beforeNaming } }
    set { faults.withLock { $0.beforeNaming = newValue } }
  }

  /// Called before a small text gets a new contents.
  var beforeReplacing: @Sendable (_ text: String) async throws -> Void {
    get { faults.withLock { $0.beforeReplacing } }
    set { faults.withLock { $0.beforeReplacing = newValue } }
  }

  func status(of path: String) async throws -> FileStatus? { try await files.status(of: path) }

  func list(_ directory: String) async throws -> [String]? { try await files.list(directory) }

  func contents(of path: String, limit: Int) async throws -> [UInt8]? {
    try await files.contents(of: path, limit: limit)
  }

  func transport(for path: String, slowly: Bool) async throws -> FileTransport? {
    FileTransport(name: "file", volume: self)
  }

  func read(
    _ path: String, after before: FileStatus?, stallTimeout: Duration,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    try await beforeCopying(path)
    return try await files.read(
      path, after: before, stallTimeout: stallTimeout, deliver: deliver)
  }

  func write(
    _ path: String, ownership: FileOwnership?, stallTimeout: Duration,
    from next: @Sendable () async throws -> [UInt8]?
  ) async throws -> FileStatus {
    try await beforeCopying(path)
    guard cutsShort else {
      return try await files.write(
        path, ownership: ownership, stallTimeout: stallTimeout, from: next)
    }
    let piece = try await next() ?? []
    try await files.write(
      path, ownership: ownership, contents: Array(piece.prefix(piece.count / 2)))
    throw TargetError.io(path: path, message: "it is a test")
  }

  func replace(_ path: String, with text: String) async throws {
    try await beforeReplacing(text)
    try await files.replace(path, with: text)
  }

  func sha256(of path: String, stallTimeout: Duration) async throws -> String {
    try await beforeCopying(path)
    return try await files.sha256(of: path, stallTimeout: stallTimeout)
  }

  func link(_ path: String, to newPath: String) async throws {
    try await beforeNaming(newPath)
    guard hasLinks else {
      throw TargetError.linksNotSupported(path: path, message: "it is a test")
    }
    try await files.link(path, to: newPath)
  }

  func rename(_ path: String, to newPath: String) async throws {
    try await beforeNaming(newPath)
    try await files.rename(path, to: newPath)
  }

  func remove(_ path: String) async throws {
    try await beforeNaming(path)
    try await files.remove(path)
  }

  func makeDirectory(_ path: String, ownership: FileOwnership?) async throws {
    try await files.makeDirectory(path, ownership: ownership)
  }

  func removeDirectory(_ path: String) async throws { try await files.removeDirectory(path) }

  func freeByteCount(at path: String) async throws -> UInt64 {
    if let freeByteCount { return freeByteCount }
    return try await files.freeByteCount(at: path)
  }
}

/// A server of this host, with something that happens after a restart.
final class DisturbedServer: ServerControl {
  private let server: LocalServer
  private let after = Mutex<@Sendable (Int) async throws -> Void>({ _ in })
  private let processes = Mutex<[Int]>([])
  private let starting = Mutex<@Sendable () async throws -> Void>({})
  private let stopping = Mutex<@Sendable () async throws -> Void>({})

  private let volume: DisturbedVolume

  init(_ server: LocalServer, _ volume: DisturbedVolume) {
    self.server = server
    self.volume = volume
  }

  /// Called after a start.
  var afterStart: @Sendable () async throws -> Void {
    get { starting.withLock { $0 } }
    set { starting.withLock { $0 = newValue } }
  }

  /// Called when everything is done that precedes a restart.
  var beforeRestart: @Sendable () async throws -> Void {
    get { stopping.withLock { $0 } }
    set { stopping.withLock { $0 = newValue } }
  }

  /// The processes that were to be stopped, in order.
  var stopped: [Int] { processes.withLock { $0 } }

  /// Called after a restart, with the process that was stopped.
  var afterRestart: @Sendable (Int) async throws -> Void {
    get { after.withLock { $0 } }
    set { after.withLock { $0 = newValue } }
  }

  var startArguments: [String] { server.startArguments }
  var memoryLimitByteCount: UInt64? { nil }

  nonisolated(nonsending) func withAddress<R: Sendable>(
    _ body: nonisolated(nonsending) (ServerAddress) async throws -> R
  ) async throws -> R {
    try await server.withAddress(body)
  }

  func restart(
    by way: RestartWay, processID: Int,
    stopping stop: @escaping @Sendable () async throws -> Void, timeout: Duration
  ) async throws {
    try await beforeRestart()
    processes.withLock { $0.append(processID) }
    try await server.restart(processID: processID, stopping: stop, timeout: timeout)
    try await afterRestart(processID)
  }

  func start(timeout: Duration) async throws {
    try await server.start(timeout: timeout)
    try await afterStart()
  }

  func waitUntilReady(timeout: Duration) async throws {}

  func concerns(about way: RestartWay) async throws -> [RestartConcern] { [] }

  func obstacles(
    to way: RestartWay, processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    try await server.obstacles(processID: processID, dataDirectory: dataDirectory)
  }

  func outage(dataDirectory: String?, timeout: Duration) async throws -> ServerOutage? {
    try await server.outage(dataDirectory: dataDirectory, timeout: timeout)
  }

  func obstaclesToHolding(dataDirectory: String?) async throws -> [RestoreObstacle] {
    try await server.obstaclesToHolding(dataDirectory: dataDirectory)
  }

  func hold(
    dataDirectory: String?, stopping running: RunningServer?, timeout: Duration
  ) async throws -> HeldFiles {
    let held = try await server.hold(
      dataDirectory: dataDirectory, stopping: running, timeout: timeout)
    return HeldFiles(volume: volume, directories: held.directories)
  }

  func confirmHold(dataDirectory: String) async throws {
    try await server.confirmHold(dataDirectory: dataDirectory)
  }

  func release(startsServer: Bool, timeout: Duration) async throws {
    try await server.release(startsServer: startsServer, timeout: timeout)
  }
}
