import RedisClient
import TestSupport
import Testing

/// Replies that are valid RESP and that no Redis gives.
@Suite struct StrangeReplyTests {
  private static let replies = [
    ":1\r\n", "+\r\n", "$-1\r\n", "*1\r\n:1\r\n", "*2\r\n$6\r\nlength\r\n$1\r\n5\r\n",
    "*2\r\n:1\r\n:1\r\n", "*2\r\n*0\r\n*0\r\n",
  ]

  @Test(arguments: replies)
  func `no description of a stream is made up`(reply: String) async throws {
    try await withListener(answering: reply) { address in
      try await RedisConnection.withConnection(to: address) { connection in
        let error = await #expect(throws: RedisError.self) {
          try await connection.streamState(key: [1], timeout: patience)
        }
        guard case .unexpectedReply = error else {
          Issue.record("\(String(describing: error))")
          return
        }
      }
    }
  }

  @Test(arguments: [":1\r\n", "$-1\r\n", "*0\r\n"])
  func `no status and no setting is made up`(reply: String) async throws {
    try await withListener(answering: reply) { address in
      try await RedisConnection.withConnection(to: address) { connection in
        await #expect(throws: RedisError.unexpectedReply(command: "INFO")) {
          try await connection.status(timeout: patience)
        }
        await #expect(throws: RedisError.unexpectedReply(command: "CONFIG SET")) {
          try await connection.setConfiguration("save", to: "secret", timeout: patience)
        }
        await #expect(throws: RedisError.unexpectedReply(command: "SELECT")) {
          try await connection.select(database: 1, timeout: patience)
        }
      }
    }
  }

  @Test func `the longest timeout is no trap`() async throws {
    try await withListener(answering: "+PONG\r\n") { address in
      try await RedisConnection.withConnection(
        to: address, credentials: RedisCredentials(password: []),
        connectTimeout: .seconds(Int64.max)
      ) { connection in
        let reply = try await connection.send("PING", timeout: .seconds(Int64.max))
        #expect(reply == .simple("PONG"))
      }
    }
  }

  @Test func `a timeout that has passed is told`() async throws {
    try await withListener(answering: "+PONG\r\n") { address in
      for timeout in [Duration.zero, .seconds(-1), .seconds(Int64.min)] {
        await #expect(throws: RedisError.connectTimedOut(address)) {
          try await RedisConnection.withConnection(to: address, connectTimeout: timeout) { _ in }
        }
        try await RedisConnection.withConnection(to: address) { connection in
          _ = await #expect(throws: RedisError.timedOut(command: "PING", after: .zero)) {
            try await connection.send("PING", timeout: timeout)
          }
        }
      }
    }
  }
}
