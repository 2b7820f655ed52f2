import Targets
import TestSupport
import Testing

@testable import Operations

/// Restores that are taken up when others may have been served by what is there.
extension DisturbedRestoreTests {
  @Test(
    arguments: [["appendonly yes"], ["appendonly no", "save 900 1"]],
    ["a full volume", "a right", "a cancellation", "no journal", "another right"])
  func `what was acknowledged since a restore was interrupted is not undone by what goes wrong now`(
    configuration: [String], fault: String
  ) async throws {
    try await withScene(configuration) { scene in
      let (server, volume) = (scene.server, scene.volume)
      try await scene.restore(until: .served)
      try await server.cli("SET", "since", "1")
      switch fault {
      case "a full volume":
        volume.beforeReplacing = { _ in throw TargetError.noSpace(path: "journal") }
      case "no journal":
        volume.beforeReplacing = { text in
          guard !text.contains("\"back") else { return }
          throw TargetError.io(path: "journal", message: "it is a test")
        }
      default: break
      }

      let running = Task {
        try await scene.run(
          .resume,
          whileAsking: {
            switch fault {
            case "a right": try await server.cli("ACL", "SETUSER", "default", "-config|get")
            case "another right": try await server.cli("ACL", "SETUSER", "default", "-config|set")
            case "a cancellation": unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
            default: break
            }
          })
      }
      if fault == "a cancellation" {
        await #expect(throws: CancellationError.self) { _ = try await running.value }
      } else {
        let error = await #expect(throws: BackupError.self) { _ = try await running.value }
        #expect(
          error?.message
            == "cannot finish the restore: the server may have let writes in since it was started with the "
            + "backup; nothing was taken back")
        #expect(error?.next == .tool("restore --resume"))
      }
      #expect(try await server.cli("MGET", "key", "since") == "backup\n1")
      #expect(try await server.cli("SET", "since", "2") == "OK")

      volume.beforeReplacing = { _ in }
      try await server.cli("ACL", "SETUSER", "default", "+@all")
      let result = try await scene.run(.resume)
      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(try await server.cli("MGET", "key", "since") == "backup\n2")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test(arguments: [["appendonly yes"], ["appendonly no", "save 900 1"]])
  func `a server that others start with the backup while a restore asks keeps what it is given`(
    configuration: [String]
  ) async throws {
    try await withScene(configuration) { scene in
      let server = scene.server
      try await scene.restore(until: .swapped)
      try #require(try await server.cli("GET", "key") == "old")
      await #expect(throws: BackupError.self) {
        _ = try await scene.run(
          .resume,
          whileAsking: {
            try await server.restart()
            try await server.cli("SET", "since", "1")
          })
      }
      #expect(try await server.cli("MGET", "key", "since") == "backup\n1")
      let result = try await scene.run(.resume)
      #expect(result.outcome == .restored, "\(String(describing: result.failure))")
      #expect(try await server.cli("MGET", "key", "since") == "backup\n1")
      #expect(try await server.cli("SET", "after", "1") == "OK")
    }
  }

  @Test func `a process that refuses writes and was not started by others leads back`() async throws
  {
    try await withScene(["appendonly yes"]) { scene in
      try await scene.restore(until: .swapped)
      scene.volume.beforeReplacing = { text in
        guard !text.contains("\"back") else { return }
        throw TargetError.io(path: "journal", message: "it is a test")
      }
      let result = try await scene.run(.resume)
      #expect(result.outcome == .rolledBack, "\(String(describing: result.failure))")
      #expect(try await scene.server.cli("GET", "key") == "old")
      #expect(try await scene.server.cli("SET", "after", "1") == "OK")
    }
  }
}
