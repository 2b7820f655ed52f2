import Glibc
import RedisClient
import TestSupport
import Testing

/// Long enough that only a hang reaches it.
let patience = Duration.seconds(60)

extension RealServer {
  /// Connects as the default user, or as another.
  func withConnection<Result: Sendable>(
    as credentials: RedisCredentials? = nil,
    _ body: (RedisConnection) async throws -> Result
  ) async throws -> Result {
    try await RedisConnection.withConnection(
      to: RedisAddress(host: "127.0.0.1", port: port),
      credentials: credentials ?? password.map { RedisCredentials(password: Array($0.utf8)) },
      connectTimeout: patience, body)
  }

  /// Waits until this many clients wait in a blocking command.
  func untilBlocked(_ count: Int) async throws {
    try await eventually("\(count) blocked clients") {
      try await cli("INFO", "clients").contains("blocked_clients:\(count)\r\n")
    }
  }
}

extension RedisConnection {
  /// Checks that commands are answered.
  func expectPong(_ sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let reply = try await send("PING", timeout: patience)
    #expect(reply == .simple("PONG"), sourceLocation: sourceLocation)
  }
}

extension RedisError {
  /// The reply to a command that the server refused.
  var reply: RedisServerError? {
    if case .server(let reply) = self { reply } else { nil }
  }

  /// The reply to credentials that the server refused.
  var loginReply: RedisServerError? {
    if case .authenticationFailed(let reply) = self { reply } else { nil }
  }
}

@Suite struct RedisConnectionTests {
  @Test func `commands are answered in order`() async throws {
    try await withRealServer(.primary) { server in
      try await server.withConnection { connection in
        try await connection.expectPong()
        let bytes = [UInt8](0...255)
        let set = try await connection.send(
          [Array("SET".utf8), bytes, bytes], timeout: patience)
        #expect(set == .simple("OK"))
        let get = try await connection.send([Array("GET".utf8), bytes], timeout: patience)
        #expect(get == .bulk(bytes))
        try await withThrowingTaskGroup { group in
          for number in 0..<200 {
            group.addTask {
              let reply = try await connection.send("ECHO", "\(number)", timeout: patience)
              #expect(reply.text == "\(number)")
            }
          }
          try await group.waitForAll()
        }
      }
    }
  }

  @Test func `a value above the limit is not kept`() async throws {
    try await withRealServer(.primary) { server in
      try await server.cli("SETRANGE", "large", "\(17 << 20)", "x")
      try await server.withConnection { connection in
        let reply = try await connection.send("GET", "large", timeout: patience)
        #expect(reply == .elided(byteCount: 17 << 20 + 1))
        try await connection.expectPong()
      }
    }
  }

  @Test func `a password is used byte for byte`() async throws {
    try await withRealServer(.primary, password: "p\"w ü\\\r\n'") { server in
      try await server.withConnection { connection in
        try await connection.expectPong()
      }
    }
  }

  @Test func `a wrong password is refused`() async throws {
    try await withRealServer(.primary, password: "right") { server in
      let error = await #expect(throws: RedisError.self) {
        try await server.withConnection(as: RedisCredentials(password: Array("wrong".utf8))) { _ in
        }
      }
      #expect(error?.loginReply?.code == "WRONGPASS")
      #expect(!"\(String(describing: error))".contains("\"wrong\""))
    }
  }

  @Test func `a missing password is told`() async throws {
    try await withRealServer(.primary, password: "right") { server in
      await #expect(throws: RedisError.passwordRequired) {
        try await RedisConnection.withConnection(
          to: RedisAddress(host: "127.0.0.1", port: server.port)
        ) { connection in
          try await connection.status(timeout: patience)
        }
      }
    }
  }

  @Test func `a password that the server does not have is told`() async throws {
    try await withRealServer(.primary) { server in
      let error = await #expect(throws: RedisError.self) {
        try await server.withConnection(as: RedisCredentials(password: Array("any".utf8))) { _ in }
      }
      let reply = try #require(error?.loginReply)
      #expect(reply.code == "ERR")
      #expect(reply.message.hasPrefix("ERR AUTH <password> called without any password"))
    }
  }

  @Test(arguments: ServerVersion.available)
  func `an ACL user may do what its rules say`(version: ServerVersion) async throws {
    try await withRealServer(version, password: "admin") { server in
      try await server.cli(
        "ACL", "SETUSER", "watcher", "on", ">secret", "resetkeys", "-@all", "+info")
      let watcher = RedisCredentials(username: "watcher", password: Array("secret".utf8))
      try await server.withConnection(as: watcher) { connection in
        let status = try await connection.status(timeout: patience)
        #expect(status.role == .master)
        let error = await #expect(throws: RedisError.self) {
          try await connection.send("GET", "key", timeout: patience)
        }
        #expect(error?.reply?.code == "NOPERM")
      }
      let unknown = RedisCredentials(username: "nobody", password: Array("secret".utf8))
      let error = await #expect(throws: RedisError.self) {
        try await server.withConnection(as: unknown) { _ in }
      }
      #expect(error?.loginReply?.code == "WRONGPASS")
    }
  }

  @Test func `a name that does not exist is told`() async throws {
    let address = RedisAddress(host: "no-such-host.invalid", port: 6379)
    let error = await #expect(throws: RedisError.self) {
      try await RedisConnection.withConnection(to: address, connectTimeout: patience) { _ in }
    }
    guard case .cannotConnect(address, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.hasPrefix("cannot resolve the host: "))
  }

  @Test(arguments: ["localhost", "127.0.0.1"])
  func `a port where nobody listens is told`(host: String) async throws {
    let address = RedisAddress(host: host, port: TestPort.next())
    await #expect(throws: RedisError.cannotConnect(address, reason: "connection refused")) {
      try await RedisConnection.withConnection(to: address, connectTimeout: patience) { _ in }
    }
  }

  @Test(arguments: [0, -1, 65_536, Int.max, Int.min])
  func `a port that cannot be is told`(port: Int) async {
    let address = RedisAddress(host: "127.0.0.1", port: port)
    await #expect(throws: RedisError.cannotConnect(address, reason: "no such port")) {
      try await RedisConnection.withConnection(to: address) { _ in }
    }
  }

  @Test func `an IPv6 address works`() async throws {
    try await withRealServer(.primary, configuration: ["bind 127.0.0.1 -::1"]) { server in
      try await RedisConnection.withConnection(to: RedisAddress(host: "::1", port: server.port)) {
        try await $0.expectPong()
      }
    }
  }

  @Test func `too many clients is told and not a closed connection`() async throws {
    try await withRealServer(.primary) { server in
      try await server.cli("CONFIG", "SET", "maxclients", "1")
      try await server.withConnection { connection in
        try await connection.expectPong()
        let full = RedisError.server(RedisServerError("ERR max number of clients reached"))
        await #expect(throws: full) {
          try await server.withConnection { try await $0.status(timeout: patience) }
        }
        await #expect(throws: full) {
          try await server.withConnection(as: RedisCredentials(password: [1])) { _ in }
        }
      }
    }
  }

  @Test func `a server that is loading says so and gives its status`() async throws {
    let configuration = [
      "save 3600 1", "key-load-delay 2000", "loading-process-events-interval-bytes 1024",
    ]
    try await withRealServer(.primary, configuration: configuration) { server in
      try await server.cli("DEBUG", "POPULATE", "20000", "key", "100")
      try await server.cli("SAVE")
      try await server.stop(signal: SIGKILL)
      try await server.start(waitUntilLoaded: false)
      try await server.withConnection { connection in
        let status = try await connection.status(timeout: patience)
        #expect(status.loading == true)
        #expect(status.loadingLoadedPercent != nil)
        #expect(status.loadingLoadedBytes != nil)
        let error = await #expect(throws: RedisError.self) {
          try await connection.send("GET", "key:1", timeout: patience)
        }
        #expect(error?.reply?.code == "LOADING")
      }
    }
  }
}
