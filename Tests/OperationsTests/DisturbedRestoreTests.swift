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

  @Test(arguments: ServerVersion.available, ["appendonly yes", "appendonly no"])
  func `old data that somebody saves just before the stop is noticed when it is served again`(
    version: ServerVersion, configuration: String
  ) async throws {
    try await withScene([configuration, "save \"\""], on: version) { scene in
      let server = scene.server
      let isDone = Mutex(false)
      scene.control.beforeRestart = {
        guard !isDone.withLock({ $0 }) else { return }
        if configuration == "appendonly no" {
          try await server.cli("SAVE")
        } else {
          try await server.cli("BGREWRITEAOF")
          try await eventually("the rewrite is over") {
            try await server.cli("INFO", "persistence").contains("aof_rewrite_in_progress:0")
          }
        }
        isDone.withLock { $0 = true }
      }

      let result = try await scene.restore()

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(
        result.failure?.cause?.contains("somebody else's save or rewrite replaced") == true,
        "\(String(describing: result.failure))")
      #expect(isDone.withLock { $0 })
      #expect(try await server.cli("GET", "key") == "old")
      #expect(try await server.cli("SET", "after", "1") == "OK")
      try await server.cli(configuration == "appendonly no" ? "SAVE" : "PING")
      try await server.restart()
      #expect(try await server.cli("MGET", "key", "after") == "old\n1")
    }
  }

  @Test(arguments: ["appendonly yes", "appendonly no"])
  func `the way back leads to a server that was empty, too`(configuration: String) async throws {
    try await withScene([configuration]) { scene in
      let server = scene.server
      try await server.cli("FLUSHALL")
      scene.failFirstRestart()

      let result = try await scene.restore()

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(try await server.cli("DBSIZE") == "0")
      #expect(try await server.cli("SET", "after", "1") == "OK")
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

  @Test(arguments: ["appendonly yes", "appendonly no"])
  func `where the old files must be copied, room for the copies is asked for first`(
    configuration: String
  ) async throws {
    try await withScene([configuration, "save \"\""]) { scene in
      let (server, volume) = (scene.server, scene.volume)
      let files = try FileManager.default.subpathsOfDirectory(atPath: server.directory).sorted()
      let need = try #require(try await scene.need())
      volume.freeByteCount = need + 10
      volume.hasLinks = false
      let error = await #expect(throws: BackupError.self) { _ = try await scene.restore() }
      #expect(error?.kind == .io)
      #expect(error?.message.hasSuffix("; nothing was changed") == true, "\(error?.message ?? "")")
      #expect(
        try FileManager.default.subpathsOfDirectory(atPath: server.directory).sorted() == files)
      volume.freeByteCount = 2 * need + (8 << 20)
      #expect(try await scene.restore().outcome == .restored)
      #expect(try await server.cli("GET", "key") == "backup")
    }
  }

  @Test func `what a killed run has left of a journal goes with the next command`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      let left = scene.server.directory + "/raibid-restore.json.new"
      for request in [RestoreBackup.Request.resume, .rollback] {
        try Data("{".utf8).write(to: URL(filePath: left))
        await #expect(throws: BackupError.self) { _ = try await scene.run(request) }
        #expect(!FileManager.default.fileExists(atPath: left))
      }
      try Data("{".utf8).write(to: URL(filePath: left))
      #expect(try await scene.restore().outcome == .restored)
      #expect(!FileManager.default.fileExists(atPath: left))
    }
  }

  @Test func `the way back waits for the process that runs then`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      scene.failFirstRestart()

      let result = try await scene.restore()

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(scene.control.stopped.count == 2)
      #expect(Set(scene.control.stopped).count == 2)
    }
  }
}

/// A server with old data, and a backup of other data.
struct Scene: Sendable {
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

  /// What is said of a server that does not run.
  var byFiles: RestoreBackup.Options {
    var options = RestoreBackup.Options()
    options.dataDirectory = server.directory
    return options
  }

  func backUp() async throws {
    _ = try await CreateBackup(
      session: session, workers: try Workers(), options: .init(), report: { _ in }
    ).run(into: archives.lock(holder: "a test"), now: Date())
  }

  func restore(report: @escaping ProgressReport = { _ in }) async throws -> RestoreResult {
    try await run(.restore(archives.latest(of: nil)), report: report)
  }

  /// The free bytes that a restore asks for, as its plan says.
  func need() async throws -> UInt64? {
    var options = RestoreBackup.Options()
    options.dryRun = true
    return try await RestoreBackup(
      session: session, workers: try Workers(), options: options, directory: archives, lock: nil,
      report: { _ in }, confirm: { _ in true }
    ).run(.restore(archives.latest(of: nil)), now: Date()).plan.figures?.diskNeededBytes
  }

  func run(
    _ request: RestoreBackup.Request, options: RestoreBackup.Options = .init(),
    report: @escaping ProgressReport = { _ in },
    whileAsking: @escaping @Sendable () async throws -> Void = {}
  ) async throws -> RestoreResult {
    try await RestoreBackup(
      session: session, workers: try Workers(), options: options, directory: archives,
      lock: archives.lock(holder: "a test"), report: report,
      confirm: { _ in
        try await whileAsking()
        return true
      }
    ).run(request, now: Date())
  }

  /// Has the first restart fail, and those after it succeed.
  func failFirstRestart() {
    let isFirst = Mutex(true)
    control.afterRestart = { _ in
      let fails = isFirst.withLock { isFirst in
        defer { isFirst = false }
        return isFirst
      }
      if fails { throw TargetError.podDidNotComeBack(reason: "it is a test") }
    }
  }

  /// Restores until the journal names a phase, with nothing undone, as after a kill.
  func restore(until phase: RestorePhase) async throws {
    let isReached = Mutex(false)
    if phase == .served {
      control.afterRestart = { _ in
        isReached.withLock { $0 = true }
        throw TargetError.podDidNotComeBack(reason: "it is a test")
      }
    }
    volume.beforeReplacing = { text in
      if phase == .swapped, text.contains("\"phase\" : 5") { isReached.withLock { $0 = true } }
      if isReached.withLock({ $0 }) { throw TargetError.io(path: "", message: "it is a test") }
    }
    let result = try await restore()
    try #require(result.outcome == .rollbackFailed)
    try #require(isReached.withLock { $0 })
    control.afterRestart = { _ in }
    volume.beforeReplacing = { _ in }
  }
}

func withScene(
  _ configuration: [String], on version: ServerVersion? = nil, hidesStart: Bool = false,
  _ body: (Scene) async throws -> Void
) async throws {
  try await withRealServer(version ?? .primary, configuration: configuration) { server in
    try await withTemporaryDirectory { archives in
      let volume = DisturbedVolume()
      let scene = Scene(
        server: server, volume: volume,
        control: DisturbedServer(
          LocalServer(
            address: ServerAddress(host: "127.0.0.1", port: server.port),
            restartCommand: hidesStart ? "sh -c \"\(server.startCommand)\"" : server.startCommand),
          volume),
        archives: ArchiveDirectory(path: archives))
      try await server.cli("SET", "key", "backup")
      try await scene.backUp()
      try await server.cli("SET", "key", "old")
      try await body(scene)
    }
  }
}
