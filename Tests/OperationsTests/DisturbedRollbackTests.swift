import Glibc
import Targets
import TestSupport
import Testing

@testable import Operations

/// Ways back that are interrupted before the server was restarted.
extension DisturbedRestoreTests {
  @Test(arguments: [["appendonly yes", "appendfsync always"], ["appendonly no", "save 900 1"]])
  func `a way back that goes on leaves the files that the server has written since`(
    configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let (server, volume) = (scene.server, scene.volume)
      volume.beforeReplacing = { text in
        guard isEntering(.served, text) || text.contains("back_done") else { return }
        throw TargetError.io(path: "journal", message: "it is a test")
      }
      let failed = try await scene.restore()
      try #require(failed.outcome == .rollbackFailed, "\(String(describing: failed.failure))")
      volume.beforeReplacing = { _ in }

      let result = try await scene.run(.rollback)

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(try await server.cli("SET", "after", "1") == "OK")
      if configuration.contains("appendonly no") { try await server.cli("SAVE") }
      try await server.stop(signal: SIGKILL)
      try await server.start()
      #expect(try await server.cli("MGET", "key", "after") == "old\n1")
    }
  }

  @Test(arguments: [["appendonly yes", "appendfsync always"], ["appendonly no", "save 900 1"]])
  func `what a server was given that came up while the old files went back is not taken away`(
    configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let (server, volume) = (scene.server, scene.volume)
      volume.beforeReplacing = { text in
        guard isEntering(.served, text) else { return }
        throw TargetError.io(path: "journal", message: "it is a test")
      }
      let failed = try await scene.restore { event in
        guard case .began("opening the server's files again") = event else { return }
        waiting(for: {
          try await server.stop(signal: SIGKILL)
          try await server.start()
          try await server.cli("SET", "since", "1")
          if configuration.contains("appendonly no") { try await server.cli("SAVE") }
        })
      }
      try #require(failed.outcome == .rollbackFailed, "\(String(describing: failed.failure))")
      volume.beforeReplacing = { _ in }

      let result = try await scene.run(.rollback)

      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(try await server.cli("MGET", "key", "since") == "old\n1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  private func isEntering(_ phase: RestorePhase, _ journal: String) -> Bool {
    journal.replacing(" ", with: "").contains("\"phase\":\(phase.rawValue)")
      && journal.contains("\"forward\"")
  }
}
