import ArchiveStore
import FoundationEssentials
import Glibc
import Synchronization
import Targets
import TestSupport
import Testing
import Workers

@testable import Operations

/// Restores of real servers, with something that happens in between.
@Suite struct DisturbedRestoreTests {
  @Test(arguments: [["appendonly yes"], ["appendonly no"]], [true, false])
  func `a server that closes idle connections while files are copied is no fault`(
    configuration: [String], hasLinks: Bool
  ) async throws {
    try await withScene(configuration) { scene in
      let server = scene.server
      scene.volume.hasLinks = hasLinks
      scene.volume.beforeCopying = { path in
        // Written while another file is read: one client would kill the other.
        guard !path.hasSuffix(".copying") else { return }
        try await server.cli("CLIENT", "KILL", "TYPE", "normal")
      }

      let result = try await scene.restore()

      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(try await server.cli("GET", "key") == "backup")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test func `what a server acknowledged that was restarted meanwhile is not lost`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      let server = scene.server
      scene.volume.beforeCopying = { path in
        guard path.contains(".1001.base.rdb") else { return }
        try await server.restart()
        try await server.cli("SET", "since", "1")
      }

      let result = try await scene.restore()

      #expect(result.outcome == .rolledBack)
      #expect(result.failure?.cause?.contains("somebody else restarted the server") == true)
      #expect(try await server.cli("MGET", "key", "since") == "old\n1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test(
    arguments: ["waiting for the server to load", "comparing the data"],
    [
      ["appendonly yes", "appendfsync always"], ["appendonly no", "save 900 1"],
    ])
  func `what the next process acknowledged is not lost when the restored one ends`(
    step: String, configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let server = scene.server
      let isDone = Mutex(false)
      let result = try await scene.restore { event in
        guard case .began(let name) = event, name == step, !isDone.withLock({ $0 }) else { return }
        // The step must not go on before: what it is connected to ends.
        let ended = Mutex(false)
        Task.detached {
          do {
            if step == "waiting for the server to load" {
              try await eventually("the restored server answers") {
                try await server.cli("GET", "key") == "backup"
              }
            }
            try await server.stop(signal: SIGKILL)
            try await server.start()
            try await server.cli("SET", "since", "1")
            if configuration.contains("appendonly no") { try await server.cli("SAVE") }
          } catch {
            Issue.record(error)
          }
          ended.withLock { $0 = true }
        }
        while !ended.withLock({ $0 }) { usleep(1000) }
        isDone.withLock { $0 = true }
      }

      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(isDone.withLock { $0 })
      #expect(try await server.cli("MGET", "key", "since") == "backup\n1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
      try await server.restart()
      #expect(try await server.cli("MGET", "key", "since", "after") == "backup\n1\n1")
    }
  }

  @Test func `half a copy of an old file is never taken for the file`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      let (server, volume) = (scene.server, scene.volume)
      let parts = server.directory + "/appendonlydir/"
      volume.hasLinks = false
      scene.control.afterRestart = { _ in
        for name in try FileManager.default.contentsOfDirectory(atPath: parts)
        where name.hasPrefix("appendonly.aof.1.") {
          try FileManager.default.removeItem(atPath: parts + name)
        }
        volume.cutsShort = true
        throw TargetError.podDidNotComeBack(reason: "it is a test")
      }
      let failed = try await scene.restore()
      try #require(failed.outcome == .rollbackFailed)
      volume.cutsShort = false
      scene.control.afterRestart = { _ in }

      let result = try await scene.run(.rollback)

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(try await server.cli("GET", "key") == "old")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test func `the way back waits for the process that runs then`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      let first = Mutex(true)
      scene.control.afterRestart = { _ in
        let isFirst = first.withLock { isFirst in
          defer { isFirst = false }
          return isFirst
        }
        if isFirst { throw TargetError.podDidNotComeBack(reason: "it is a test") }
      }

      let result = try await scene.restore()

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(scene.control.stopped.count == 2)
      #expect(Set(scene.control.stopped).count == 2)
    }
  }
}

/// A server with old data, and a backup of other data.
private struct Scene: Sendable {
  let server: RealServer
  let volume: DisturbedVolume
  let control: DisturbedServer
  let archives: ArchiveDirectory

  private var session: ServerSession {
    ServerSession(
      target: Target(
        source: TargetSource(target: .local, host: "127.0.0.1", port: server.port),
        volume: volume, control: control),
      credentials: nil, tls: nil, limits: TimeLimits())
  }

  func backUp() async throws {
    _ = try await CreateBackup(
      session: session, workers: try Workers(), options: .init(), report: { _ in }
    ).run(into: archives.lock(holder: "a test"), now: Date())
  }

  func restore(report: @escaping ProgressReport = { _ in }) async throws -> RestoreResult {
    try await run(.restore(archives.latest(of: nil)), report: report)
  }

  func run(
    _ request: RestoreBackup.Request, report: @escaping ProgressReport = { _ in }
  ) async throws -> RestoreResult {
    try await RestoreBackup(
      session: session, workers: try Workers(), options: .init(), directory: archives,
      lock: archives.lock(holder: "a test"), report: report, confirm: { _ in true }
    ).run(request, now: Date())
  }
}

private func withScene(
  _ configuration: [String], _ body: (Scene) async throws -> Void
) async throws {
  try await withRealServer(.primary, configuration: configuration) { server in
    try await withTemporaryDirectory { archives in
      let scene = Scene(
        server: server, volume: DisturbedVolume(),
        control: DisturbedServer(
          LocalServer(
            address: ServerAddress(host: "127.0.0.1", port: server.port),
            restartCommand: server.startCommand)),
        archives: ArchiveDirectory(path: archives))
      try await server.cli("SET", "key", "backup")
      try await scene.backUp()
      try await server.cli("SET", "key", "old")
      try await body(scene)
    }
  }
}

/// The files of this host, with something that happens before they are copied.
private final class DisturbedVolume: DataVolume {
  private struct Faults {
    var hasLinks = true
    var cutsShort = false
    var beforeCopying: @Sendable (_ path: String) async throws -> Void = { _ in }
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

  /// Called before a whole file is read or written.
  var beforeCopying: @Sendable (_ path: String) async throws -> Void {
    get { faults.withLock { $0.beforeCopying } }
    set { faults.withLock { $0.beforeCopying = newValue } }
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
    _ path: String, stallTimeout: Duration, deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    try await beforeCopying(path)
    return try await files.read(path, stallTimeout: stallTimeout, deliver: deliver)
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
    try await files.replace(path, with: text)
  }

  func sha256(of path: String, stallTimeout: Duration) async throws -> String {
    try await beforeCopying(path)
    return try await files.sha256(of: path, stallTimeout: stallTimeout)
  }

  func link(_ path: String, to newPath: String) async throws {
    guard hasLinks else {
      throw TargetError.linksNotSupported(path: path, message: "it is a test")
    }
    try await files.link(path, to: newPath)
  }

  func rename(_ path: String, to newPath: String) async throws {
    try await files.rename(path, to: newPath)
  }

  func remove(_ path: String) async throws { try await files.remove(path) }

  func makeDirectory(_ path: String, ownership: FileOwnership?) async throws {
    try await files.makeDirectory(path, ownership: ownership)
  }

  func removeDirectory(_ path: String) async throws { try await files.removeDirectory(path) }

  func freeByteCount(at path: String) async throws -> UInt64 {
    try await files.freeByteCount(at: path)
  }
}

/// A server of this host, with something that happens after a restart.
private final class DisturbedServer: ServerControl {
  private let server: LocalServer
  private let after = Mutex<@Sendable (Int) async throws -> Void>({ _ in })
  private let processes = Mutex<[Int]>([])

  init(_ server: LocalServer) {
    self.server = server
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
    by way: RestartWay, processID: Int, stopping stop: @Sendable () async throws -> Void,
    timeout: Duration
  ) async throws {
    processes.withLock { $0.append(processID) }
    try await server.restart(processID: processID, stopping: stop, timeout: timeout)
    try await afterRestart(processID)
  }

  func start(timeout: Duration) async throws { try await server.start(timeout: timeout) }

  func waitUntilReady(timeout: Duration) async throws {}

  func concerns(about way: RestartWay) async throws -> [RestartConcern] { [] }

  func obstacles(
    to way: RestartWay, processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    try await server.obstacles(processID: processID, dataDirectory: dataDirectory)
  }
}
