import ArchiveStore
import FoundationEssentials
import Glibc
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Operations

/// Restores by the files of a server that does not run, with something that happens in between.
@Suite struct DisturbedStoppedTests {
  private static let configurations = [
    ["appendonly yes", "appendfsync always"], ["appendonly no", "save 900 1"],
  ]

  @Test(
    arguments: ["copying the backup to the volume", "keeping the old files", "swapping"],
    configurations)
  func `a server that somebody starts before the swap keeps its data`(
    step: String, configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let server = scene.server
      try await server.stop()

      await #expect(throws: BackupError.self) {
        let result = try await restoreByFiles(scene, during: step) {
          try await server.start()
          try await server.cli("SET", "since", "1")
        }
        // Once the old files have second names, it is told as a result.
        if let failure = result.failure, result.outcome == .rolledBack { throw failure }
      }

      #expect(try await server.cli("MGET", "key", "since") == "old\n1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
      #expect(try leftovers(server) == [])
      try await server.restart()
      #expect(try await server.cli("MGET", "key", "since", "after") == "old\n1\n1")
    }
  }

  @Test(arguments: configurations)
  func `a server that somebody starts after the swap keeps what it was given`(
    configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let server = scene.server
      try await server.stop()

      let error = await #expect(throws: BackupError.self) {
        _ = try await restoreByFiles(scene, during: "starting the server") {
          try await server.start()
          try await server.cli("SET", "since", "1")
        }
      }
      #expect(
        error?.message.contains("nothing was taken back") == true, "\(String(describing: error))")
      #expect(try await server.cli("MGET", "key", "since") == "backup\n1")

      let result = try await scene.run(.resume)

      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(try await server.cli("SET", "after", "1") == "OK")
      try await server.restart()
      #expect(try await server.cli("MGET", "key", "since", "after") == "backup\n1\n1")
    }
  }

  @Test func `a server that answers by the time of the answer is left alone`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      let server = scene.server
      try await server.stop()
      let options = scene.byFiles

      let error = await #expect(throws: BackupError.self) {
        _ = try await scene.run(
          .restore(scene.archives.latest(of: nil)), options: options,
          whileAsking: { try await server.start() })
      }

      #expect(error == .serverCameUp())
      #expect(try leftovers(server) == [])
      #expect(try await server.cli("GET", "key") == "old")
    }
  }

  @Test(arguments: ["another name", "another directory", "the other kind"])
  func `a server that reads other files is noticed, though it has as many keys`(
    difference: String
  ) async throws {
    let name = difference == "another name" ? ["dbfilename data.rdb"] : []
    try await withScene(["appendonly no", "save 900 1"] + name, hidesStart: true) { scene in
      let server = scene.server
      try await server.cli("SAVE")
      if difference == "the other kind" {
        // As a script does that starts it: the next start will read the dump again.
        scene.control.afterStart = { try await server.cli("CONFIG", "SET", "appendonly", "yes") }
      }
      try await server.stop()
      try await withTemporaryDirectory { other in
        var options = RestoreBackup.Options()
        options.dataDirectory = difference == "another directory" ? other : server.directory
        if difference == "another name" {
          try Data("of an earlier time".utf8).write(
            to: URL(filePath: server.directory + "/dump.rdb"))
        }

        let result = try await scene.run(
          .restore(scene.archives.latest(of: nil)), options: options)

        #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
        let cause = result.failure?.cause ?? ""
        #expect(
          cause.contains("the server reads") || cause.contains("the next start will read"),
          "\(cause)")
        #expect(server.processID == nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: other) == [])
      }
      try await server.start()
      #expect(try await server.cli("GET", "key") == "old")
    }
  }

  @Test(arguments: configurations)
  func `old files that could not be kept are as they were`(
    configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let server = scene.server
      try await server.stop()
      let before = try contents(server)

      let result = try await restoreByFiles(scene, during: "keeping the old files") {
        scene.volume.hasLinks = false
        scene.volume.beforeCopying = { throw TargetError.io(path: $0, message: "it is a test") }
      }

      #expect(result.outcome == .rolledBack)
      #expect(try contents(server) == before)
    }
  }

  @Test(arguments: [true, false])
  func `what a server was given before it was stopped again is not taken back`(
    insists: Bool
  ) async throws {
    try await withScene(["appendonly yes", "appendfsync always"]) { scene in
      let server = scene.server
      try await server.stop()
      await #expect(throws: BackupError.self) {
        _ = try await restoreByFiles(scene, during: "starting the server") {
          try await server.start()
          try await server.cli("FLUSHALL")
          try await server.cli("-n", "1", "SET", "since", "1")
        }
      }
      try await server.stop()
      let options = scene.byFiles

      if !insists {
        let error = await #expect(throws: BackupError.self) {
          _ = try await scene.run(.restore(scene.archives.latest(of: nil)), options: options)
        }
        #expect(
          error?.message.contains("what it serves is not what was restored") == true,
          "\(String(describing: error))")
      }
      let result = try await scene.run(.resume, options: options)

      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(try await server.cli("DBSIZE") == "0")
      #expect(try await server.cli("-n", "1", "GET", "since") == "1")
    }
  }

  @Test func `what a server was given between two renames is not taken back`() async throws {
    try await withScene(["appendonly no", "save 900 1"]) { scene in
      let server = scene.server
      try await server.stop()
      try await swapHalf(scene)
      try await server.start()
      try await server.cli("FLUSHALL")
      try await server.cli("-n", "1", "SET", "since", "1")
      try await server.cli("SAVE")
      try await server.stop()
      let options = scene.byFiles

      let result = try await scene.run(.resume, options: options)

      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(try await server.cli("DBSIZE") == "0")
      #expect(try await server.cli("-n", "1", "GET", "since") == "1")
    }
  }

  @Test func `a server that does not read what is swapped keeps its data`() async throws {
    try await withScene(["appendonly yes", "appendfsync always"]) { scene in
      let server = scene.server
      try await server.stop()
      try await swapHalf(scene)
      try await server.start()
      try await server.cli("SET", "since", "1")
      try await server.cli("SAVE")
      try await server.stop()
      let options = scene.byFiles

      let error = await #expect(throws: BackupError.self) {
        _ = try await scene.run(.resume, options: options)
      }
      #expect(
        error?.cause?.contains("appendonly.aof.manifest, which is not the backup's") == true,
        "\(String(describing: error))")
      let result = try await scene.run(.resume)

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(try await server.cli("MGET", "key", "since") == "old\n1")
      #expect(try leftovers(server) == [])
    }
  }

  @Test func `a file that is not read is put back once`() async throws {
    try await withScene(["appendonly yes"]) { scene in
      let server = scene.server
      try await server.cli("SAVE")
      try await server.stop()
      let dump = try contents(server)["dump.rdb"]
      try #require(dump != nil)

      let result = try await restoreByFiles(scene, during: "putting back what is not read") {
        scene.volume.beforeReplacing = { _ in
          throw TargetError.io(path: "", message: "it is a test")
        }
      }
      #expect(result.failure?.message.contains("cannot end the restore") == true)
      scene.volume.beforeReplacing = { _ in }
      let resumed = try await scene.run(.resume)

      #expect(resumed.outcome == .restored, "\(String(describing: resumed.failure))")
      #expect(try await server.cli("GET", "key") == "backup")
      #expect(try contents(server)["dump.rdb"] == dump)
    }
  }

  // MARK: - Parts

  /// Restores until the dump is swapped and nothing else, with nothing undone, as after a kill.
  private func swapHalf(_ scene: Scene) async throws {
    let obstacle = scene.server.directory + "/appendonlydir/appendonly.aof.manifest"
    let isThere = FileManager.default.fileExists(atPath: obstacle)
    let result = try await restoreByFiles(scene, during: "swapping") {
      if isThere { try FileManager.default.moveItem(atPath: obstacle, toPath: obstacle + ".away") }
      try FileManager.default.createDirectory(atPath: obstacle, withIntermediateDirectories: false)
      scene.volume.beforeReplacing = { throw TargetError.io(path: $0, message: "it is a test") }
    }
    try #require(result.outcome == .rollbackFailed)
    scene.volume.beforeReplacing = { _ in }
    try FileManager.default.removeItem(atPath: obstacle)
    if isThere { try FileManager.default.moveItem(atPath: obstacle + ".away", toPath: obstacle) }
  }

  private func restoreByFiles(
    _ scene: Scene, during step: String,
    _ disturb: @escaping @Sendable () async throws -> Void
  ) async throws -> RestoreResult {
    let options = scene.byFiles
    let isDone = Mutex(false)
    let result = try await scene.run(
      .restore(scene.archives.latest(of: nil)), options: options,
      report: { event in
        guard case .began(let name) = event, name == step, !isDone.withLock({ $0 }) else { return }
        isDone.withLock { $0 = true }
        waiting(for: disturb)
      })
    #expect(isDone.withLock { $0 })
    return result
  }

  /// All data files with what they hold.
  private func contents(_ server: RealServer) throws -> [String: Data] {
    var all: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: server.directory)
    where !path.hasPrefix("redis.") && !path.hasPrefix(".raibid") {
      all[path] = FileManager.default.contents(atPath: server.directory + "/" + path) ?? Data()
    }
    return all
  }

  private func leftovers(_ server: RealServer) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: server.directory).filter { path in
      ["restore", "before", "rollback", ".new"].contains { path.contains($0) }
    }
  }
}

/// Runs something to its end while the one who reports waits.
func waiting(for body: @escaping @Sendable () async throws -> Void) {
  let isOver = Mutex(false)
  Task.detached {
    do {
      try await body()
    } catch {
      Issue.record(error)
    }
    isOver.withLock { $0 = true }
  }
  while !isOver.withLock({ $0 }) { usleep(1000) }
}
