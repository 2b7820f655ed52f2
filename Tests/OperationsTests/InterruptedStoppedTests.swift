import ArchiveStore
import FoundationEssentials
import Glibc
import Synchronization
import Targets
import TestSupport
import Testing

@testable import Operations

/// Restores by files that end, as if killed, before each change of a name on the volume in turn.
@Suite struct InterruptedStoppedTests {
  /// What an operator does between two runs.
  enum Meanwhile: CaseIterable, Sendable {
    case nothing
    /// Starts the server, works with it, has it write its files anew, and stops it.
    case work
  }

  enum Second: CaseIterable, Sendable {
    case again, resume, rollback
  }

  private static let configurations = [
    ["appendonly yes", "appendfsync always"], ["appendonly no", "save 900 1"],
  ]

  @Test(arguments: configurations, Meanwhile.allCases)
  func `no moment of an end costs a write or the old files`(
    configuration: [String], meanwhile: Meanwhile
  ) async throws {
    var tried = 0
    for moment in 1...80 {
      let isReached = try await interrupt(
        before: moment, configuration, meanwhile, Second.allCases[moment % Second.allCases.count])
      guard isReached else { break }
      tried = moment
    }
    // Fewer would mean that names are changed where this does not see it.
    #expect(tried >= 12, "\(tried)")
  }

  /// - Returns: Whether there was such a moment.
  private func interrupt(
    before moment: Int, _ configuration: [String], _ meanwhile: Meanwhile, _ second: Second
  ) async throws -> Bool {
    let isReached = Mutex(false)
    try await withScene(configuration) { scene in
      let (server, volume) = (scene.server, scene.volume)
      let isAppendOnly = configuration[0] == "appendonly yes"
      if !isAppendOnly { try await server.cli("SAVE") }
      try await server.stop(signal: SIGKILL)
      let before = try contents(of: server)
      let count = Mutex(0)
      let end: @Sendable (String) async throws -> Void = { _ in
        let isOver = isReached.withLock { $0 }
        if isOver
          || count.withLock({
            $0 += 1; return $0
          }) == moment
        {
          isReached.withLock { $0 = true }
          throw TargetError.io(path: "volume", message: "it is a test")
        }
      }
      // From that moment on nothing is changed any more, as after a kill.
      volume.beforeNaming = end
      volume.beforeReplacing = { text in
        if isReached.withLock({ $0 }) { try await end(text) }
      }
      // Its command ends before the server can be found, and stopped, from here.
      scene.control.afterStart = {
        try await eventually("the server is there") { server.processID != nil }
      }
      let options = scene.byFiles
      let comment: Comment = "moment \(moment), \(configuration), \(meanwhile), \(second)"
      var wasRestored = false
      do {
        wasRestored =
          try await scene.run(.restore(scene.archives.latest(of: nil)), options: options).outcome
          == .restored
      } catch is BackupError {
        // The end.
      }
      volume.beforeNaming = { _ in }
      volume.beforeReplacing = { _ in }
      guard isReached.withLock({ $0 }) else {
        #expect(wasRestored, comment)
        return
      }
      try await server.stop(signal: SIGKILL)

      var since: String?
      if meanwhile == .work {
        try await server.start()
        since = try await server.cli("GET", "key")
        try await server.cli("SET", "since", "1")
        if isAppendOnly {
          try await server.cli("BGREWRITEAOF")
          try await eventually("it is written anew") {
            let info = try await server.cli("INFO", "persistence")
            return info.contains("aof_rewrite_in_progress:0")
              && info.contains("aof_rewrite_scheduled:0")
          }
        } else {
          try await server.cli("SAVE")
        }
        try await server.stop(signal: SIGKILL)
      }

      let outcome = try await takeUp(scene, second, options, comment)

      if server.processID == nil {
        if meanwhile == .nothing { #expect(try contents(of: server) == before, comment) }
        try await server.start()
      }
      let key = try await server.cli("GET", "key")
      switch (meanwhile, outcome) {
      case (.nothing, .restored?): #expect(key == "backup", comment)
      case (.nothing, _):
        #expect(key == "old", comment)
      case (.work, .rolledBack?) where second == .rollback && since == "backup":
        // The user has asked to lose what was written since.
        #expect(key == "old", comment)
      case (.work, _):
        let isAsked = second == .again && outcome == .restored && since == "old"
        #expect(key == (isAsked ? "backup" : since), comment)
        if !isAsked { #expect(try await server.cli("GET", "since") == "1", comment) }
      }
      #expect(try await server.cli("SET", "after", "1") == "OK", comment)
    }
    return isReached.withLock { $0 }
  }

  /// The second run; where it leaves the choice to the user, what was written since is kept.
  ///
  /// - Returns: Nil where there was nothing to take up.
  private func takeUp(
    _ scene: Scene, _ second: Second, _ options: RestoreBackup.Options, _ comment: Comment
  ) async throws -> RestoreResult.Outcome? {
    do {
      switch second {
      case .again:
        return try await scene.run(
          .restore(scene.archives.latest(of: nil)), options: options
        ).outcome
      case .resume: return try await scene.run(.resume, options: options).outcome
      case .rollback: return try await scene.run(.rollback, options: options).outcome
      }
    } catch let error as BackupError where error.kind == .config {
      return try await scene.run(.resume, options: options).outcome
    } catch let error as BackupError where error == .noUnfinishedRestore() {
      return nil
    }
  }

  private func contents(of server: RealServer) throws -> [String: Data] {
    var all: [String: Data] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: server.directory)
    where path.hasSuffix(".rdb") || path.contains("appendonly") {
      all[path] = FileManager.default.contents(atPath: server.directory + "/" + path) ?? Data()
    }
    return all
  }
}
