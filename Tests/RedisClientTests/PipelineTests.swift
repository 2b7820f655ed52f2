import Glibc
import RedisClient
import TestSupport
import Testing

@Suite struct PipelineTests {
  private static let limit = Duration.seconds(60)

  private func withConnection(
    _ body: (RedisConnection, RealServer) async throws -> Void
  ) async throws {
    try await withRealServer(.primary) { server in
      try await RedisConnection.withConnection(
        to: RedisAddress(host: "127.0.0.1", port: server.port)
      ) { connection in try await body(connection, server) }
    }
  }

  private func command(_ words: String...) -> RESPCommand {
    RESPCommand(words.map { Array($0.utf8) })
  }

  @Test func `a pipeline gives each command its reply, errors in their place`() async throws {
    try await withConnection { connection, _ in
      let replies = try await connection.pipeline(
        [command("SET", "k", "1"), command("NOSUCH"), command("INCR", "k")], timeout: Self.limit)
      #expect(replies.count == 3)
      #expect(replies[0] == .simple("OK") && replies[2] == .integer(2))
      guard case .error = replies[1] else { return #expect(Bool(false), "\(replies[1])") }
      #expect(try await connection.pipeline([], timeout: Self.limit) == [])
    }
  }

  @Test func `an argument may come in pieces`() async throws {
    try await withConnection { connection, server in
      let (head, tail) = RESPCommand.encoded(
        [Array("SET".utf8), Array("k".utf8)], argumentOf: 3_000_000, [Array("KEEPTTL".utf8)])
      try await connection.send(part: head, of: "SET", timeout: Self.limit)
      for _ in 0..<3 {
        let piece = [UInt8](repeating: 120, count: 1_000_000)
        try await connection.send(part: piece, of: "SET", timeout: Self.limit)
      }
      let pending = connection.send(tail, replyCount: 1, to: "SET", timeout: Self.limit)
      let ping = try await connection.send("PING", timeout: Self.limit)
      #expect(ping == .simple("PONG"))
      #expect(try await pending.values() == [.simple("OK")])
      #expect(try await server.cli("STRLEN", "k") == "3000000")
    }
  }

  @Test func `a server that takes no more bytes is not waited for without a limit`() async throws {
    try await withRealServer(.primary) { server in
      await #expect(throws: RedisError.self) {
        try await RedisConnection.withConnection(
          to: RedisAddress(host: "127.0.0.1", port: server.port)
        ) { connection in
          _ = try await connection.send("CLIENT", "ID", timeout: Self.limit)
          try server.pause()
          let part = [UInt8](repeating: 0, count: 64 << 20)
          try await connection.send(part: part, of: "RESTORE", timeout: .milliseconds(200))
        }
      }
    }
  }

  @Test func `what waits when the connection ends fails`() async throws {
    try await withConnection { connection, server in
      let pending = connection.send(
        command("BLPOP", "none", "0").encoded, replyCount: 1, to: "BLPOP", timeout: Self.limit)
      try await eventually("the client is blocked") {
        try await server.cli("INFO", "clients").contains("blocked_clients:1")
      }
      try await server.stop(signal: 9)
      await #expect(throws: RedisError.self) { _ = try await pending.values() }
      await #expect(throws: RedisError.self) {
        try await connection.send(part: [1], of: "SET", timeout: Self.limit)
      }
    }
  }
}

extension RealServer {
  /// Stops the process in its tracks; it is ended like any other.
  fileprivate func pause() throws {
    kill(try #require(processID), SIGSTOP)
  }
}
