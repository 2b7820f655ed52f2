import Glibc
import RedisClient
import TestSupport
import Testing

/// How a connection ends when it is not the body that ends it.
@Suite(.timeLimit(.minutes(2))) struct ConnectionEndTests {
  @Test func `a server that does not answer the login is given up`() async throws {
    try await withRealServer(.primary, password: "secret") { server in
      kill(try #require(server.processID), SIGSTOP)
      let address = RedisAddress(host: "127.0.0.1", port: server.port)
      await #expect(throws: RedisError.connectTimedOut(address)) {
        try await RedisConnection.withConnection(
          to: address, credentials: RedisCredentials(password: Array("secret".utf8)),
          connectTimeout: .milliseconds(50)
        ) { _ in }
      }
    }
  }

  @Test func `a command without a reply is given up, and the connection with it`() async throws {
    try await withRealServer(.primary) { server in
      try await server.withConnection { connection in
        kill(try #require(server.processID), SIGSTOP)
        await #expect(throws: RedisError.timedOut(command: "INFO", after: .milliseconds(50))) {
          try await connection.status(timeout: .milliseconds(50))
        }
        await #expect(throws: RedisError.connectionClosed(command: "PING")) {
          try await connection.send("PING", timeout: patience)
        }
      }
    }
  }

  @Test func `a server that dies during a command is told`() async throws {
    try await withRealServer(.primary) { server in
      try await server.withConnection { connection in
        let reply = Task {
          try await connection.send("BLPOP", "nothing", "0", timeout: patience)
        }
        try await server.untilBlocked(1)
        try await server.stop(signal: SIGKILL)
        await #expect(throws: RedisError.connectionClosed(command: "BLPOP")) {
          try await reply.value
        }
        await #expect(throws: RedisError.connectionClosed(command: "CONFIG GET")) {
          try await connection.configuration(["dir"], timeout: patience)
        }
      }
    }
  }

  @Test func `cancelling a command closes the connection`() async throws {
    try await withRealServer(.primary) { server in
      let port = server.port
      let command = Task {
        try await RedisConnection.withConnection(to: RedisAddress(host: "127.0.0.1", port: port)) {
          _ = try await $0.send("BLPOP", "nothing", "0", timeout: .seconds(3600))
        }
      }
      try await server.untilBlocked(1)
      command.cancel()
      await #expect(throws: CancellationError.self) { try await command.value }
      try await server.untilBlocked(0)
    }
  }

  @Test func `cancelling works against a server that hangs`() async throws {
    try await withRealServer(.primary, password: "secret") { server in
      kill(try #require(server.processID), SIGSTOP)
      let port = server.port
      let login = Task {
        try await RedisConnection.withConnection(
          to: RedisAddress(host: "127.0.0.1", port: port),
          credentials: RedisCredentials(password: Array("secret".utf8)),
          connectTimeout: .seconds(3600)
        ) { _ in }
      }
      // Whether it is cancelled while it connects or while it logs in: the result is one.
      login.cancel()
      await #expect(throws: CancellationError.self) { try await login.value }
    }
  }

  @Test func `the connection is closed after the body, however it ends`() async throws {
    struct Stop: Error {}
    try await withRealServer(.primary) { server in
      let kept = try await server.withConnection { $0 }
      await #expect(throws: RedisError.connectionClosed(command: "PING")) {
        try await kept.send("PING", timeout: patience)
      }
      await #expect(throws: Stop.self) { try await server.withConnection { _ in throw Stop() } }
      try await eventually("only the client that asks is connected") {
        try await server.cli("INFO", "clients").contains("connected_clients:1\r\n")
      }
    }
  }

  @Test(arguments: [
    (
      "-DENIED Running in protected mode\r\n",
      RedisError.server(RedisServerError("DENIED Running in protected mode"))
    ),
    (
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      .protocolViolation(RESPError(.unknownType(UInt8(ascii: "H")), byteOffset: 0))
    ),
    ("$-5\r\n", .protocolViolation(RESPError(.negativeLength, byteOffset: 0))),
    ("", .connectionClosed(command: "INFO")),
    ("$10\r\nabc", .connectionClosed(command: "INFO")),
  ])
  func `a peer that says this and closes is reported so`(
    bytes: String, expected: RedisError
  ) async throws {
    try await withListener(saying: bytes) { address in
      await #expect(throws: expected) {
        try await RedisConnection.withConnection(to: address) {
          try await $0.status(timeout: patience)
        }
      }
    }
  }

  @Test func `a reply that nobody asked for ends the connection`() async throws {
    try await withListener(saying: "+a\r\n+b\r\n") { address in
      try await RedisConnection.withConnection(to: address) { connection in
        let error = await #expect(throws: RedisError.self) {
          // The first may be taken for the answer to a command that was sent already.
          _ = try await connection.send("PING", timeout: patience)
          _ = try await connection.send("PING", timeout: patience)
          _ = try await connection.send("PING", timeout: patience)
        }
        guard case .protocolViolation(let violation) = error else {
          if case .connectionClosed = error { return }
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(violation.kind == .unrequestedReply)
      }
    }
  }
}
