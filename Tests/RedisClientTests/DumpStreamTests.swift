import FoundationEssentials
import Glibc
import NIOCore
import NIOPosix
import RedisClient
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct DumpStreamTests {
  @Test(arguments: ServerVersion.available, [true, false])
  func `a server sends its dump in either framing`(
    version: ServerVersion, isDiskless: Bool
  ) async throws {
    let configuration = [
      "repl-diskless-sync \(isDiskless ? "yes" : "no")", "repl-diskless-sync-delay 0", "save \"\"",
    ]
    try await withRealServer(version, configuration: configuration, password: "secret") { server in
      try await server.cli("DEBUG", "POPULATE", "20000")
      try await RedisConnection.withConnection(
        to: RedisAddress(host: "127.0.0.1", port: server.port),
        credentials: RedisCredentials(password: Array("secret".utf8))
      ) { connection in
        let status = try await connection.status(timeout: patience)
        let stream = try await connection.requestDump(
          forValkey: status.product == .valkey ? status.version : nil, timeout: patience)
        let byteCount = try await stream.begin(within: patience)
        #expect((byteCount == nil) == isDiskless)
        let dump = try await stream.whole()
        #expect(byteCount == nil || byteCount == UInt64(dump.count))
        let magic = version.isValkey && version.isAtLeast(9, 0) ? "VALKEY" : "REDIS"
        #expect(dump.starts(with: magic.utf8))
        let file = try? Data(contentsOf: URL(filePath: server.directory + "/dump.rdb"))
        // Without a disk there is no file; with one it is what was sent.
        #expect(file.map { Array($0) } == (isDiskless ? nil : dump))
      }
      // The server lets us go by itself, as one that wanted the dump only.
      try await eventually("no replica is left") {
        try await server.cli("INFO", "replication").contains("connected_slaves:0")
      }
    }
  }

  @Test func `a server that refuses says why`() async throws {
    try await withRealServer(.primary, configuration: ["replicaof 127.0.0.1 1"]) { server in
      try await server.withStream { stream in
        let error = await #expect(throws: RedisError.self) {
          try await stream.begin(within: patience)
        }
        guard case .server(let reply) = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(reply.code == "NOMASTERLINK")
      }
    }
  }

  @Test func `a user who may not is told so`() async throws {
    try await withRealServer(.primary) { server in
      for missing in ["replconf", "sync"] {
        try await server.cli(
          "ACL", "SETUSER", "u", "reset", "on", ">pw", "+@all", "-\(missing)")
        let error = await #expect(throws: RedisError.self) {
          try await RedisConnection.withConnection(
            to: RedisAddress(host: "127.0.0.1", port: server.port),
            credentials: RedisCredentials(username: "u", password: Array("pw".utf8))
          ) { connection in
            let stream = try await connection.requestDump(forValkey: nil, timeout: patience)
            _ = try await stream.begin(within: patience)
          }
        }
        guard case .server(let reply) = error else {
          Issue.record("\(String(describing: error))")
          continue
        }
        #expect(reply.code == "NOPERM")
        #expect(reply.message.contains(missing))
      }
    }
  }

  @Test func `a server that cannot make its dump closes, which is told`() async throws {
    let configuration = ["repl-diskless-sync no", "save \"\""]
    try await withRealServer(.primary, configuration: configuration) { server in
      // A directory cannot be replaced by the server's dump.
      try FileManager.default.createDirectory(
        atPath: server.directory + "/dump.rdb", withIntermediateDirectories: false)
      try await server.cli("SET", "a", "1")
      try await server.withStream { stream in
        await #expect(throws: RedisError.connectionClosed(command: "SYNC")) {
          try await stream.begin(within: patience)
        }
      }
    }
  }

  @Test func `a server that falls silent is given up, before its dump and within it`() async throws
  {
    try await withMaster { channel in
      channel.writeAndFlush(channel.allocator.buffer(string: "\n$10\r\nhalf"), promise: nil)
    } body: { stream in
      let byteCount = try await stream.begin(within: patience)
      #expect(byteCount == 10)
      let limit = Duration.milliseconds(50)
      await #expect(throws: RedisError.timedOut(command: "SYNC", after: limit)) {
        try await stream.read(within: limit) { _ in }
      }
    }
    try await withMaster { _ in
    } body: { stream in
      let limit = Duration.milliseconds(50)
      await #expect(throws: RedisError.timedOut(command: "SYNC", after: limit)) {
        try await stream.begin(within: limit)
      }
    }
  }

  @Test(arguments: [
    ("$10\r\nhalf", RedisError.dumpCutShort(received: 4, expected: 10)),
    ("$EOF:\(mark)\r\nhalf\(mark.dropLast())", .dumpCutShort(received: 4, expected: nil)),
    ("$EOF:\(mark)\r\n", .dumpCutShort(received: 0, expected: nil)),
    ("\n\n", .connectionClosed(command: "SYNC")),
    ("$1", .connectionClosed(command: "SYNC")),
    ("$-7\r\n", .protocolViolation(RESPError(.negativeLength, byteOffset: 0))),
  ])
  func `a dump that is not whole is never taken for one`(
    text: String, expected: RedisError
  ) async throws {
    try await withMaster { channel in
      channel.writeAndFlush(channel.allocator.buffer(string: text))
        .whenComplete { _ in channel.close(promise: nil) }
    } body: { stream in
      await #expect(throws: expected) {
        _ = try await stream.begin(within: patience)
        _ = try await stream.whole()
      }
    }
  }

  private static let mark = String(repeating: "0123456789", count: 4)

  @Test func `what had arrived before the connection ended is all delivered`() async throws {
    let (closed, closing) = AsyncStream<Void>.makeStream()
    let bytes = [UInt8](repeating: 7, count: 100_000)
    try await withMaster { channel in
      channel.write(channel.allocator.buffer(string: "$\(bytes.count)\r\n"), promise: nil)
      channel.writeAndFlush(channel.allocator.buffer(bytes: bytes))
        .flatMap { channel.close() }
        .whenComplete { _ in closing.finish() }
    } body: { stream in
      for await _ in closed {}
      let byteCount = try await stream.begin(within: patience)
      #expect(byteCount == UInt64(bytes.count))
      let dump = try await stream.whole()
      #expect(dump == bytes)
    }
  }

  @Test func `nothing is read that was not asked for`() async throws {
    let byteCount = 64 << 20
    let isSent = Atomic(false)
    try await withMaster { channel in
      channel.write(channel.allocator.buffer(string: "$\(byteCount)\r\n"), promise: nil)
      let piece = channel.allocator.buffer(repeating: 7, count: 1 << 20)
      for _ in 1..<64 { channel.write(piece, promise: nil) }
      channel.writeAndFlush(piece).whenComplete { _ in isSent.store(true, ordering: .relaxed) }
    } body: { stream in
      _ = try await stream.begin(within: patience)
      let received = Atomic(0)
      try await stream.read(within: patience) { bytes in
        #expect(bytes.count <= 256 << 10)
        if received.add(bytes.count, ordering: .relaxed).oldValue == 0 {
          // The server has time to go on, and only the buffers of the system to fill.
          try await Task.sleep(for: .milliseconds(300))
          let isDone = isSent.load(ordering: .relaxed)
          #expect(!isDone)
        }
      }
      let total = received.load(ordering: .relaxed)
      #expect(total == byteCount)
    }
  }

  @Test func `a consumer that fails ends it, and so does cancellation`() async throws {
    struct Full: Error {}
    try await withMaster { channel in
      channel.writeAndFlush(channel.allocator.buffer(string: "$10\r\nhalf"), promise: nil)
    } body: { stream in
      _ = try await stream.begin(within: patience)
      await #expect(throws: Full.self) {
        try await stream.read(within: patience) { _ in throw Full() }
      }
      let reading = Task { try await stream.read(within: .seconds(3600)) { _ in } }
      reading.cancel()
      await #expect(throws: CancellationError.self) { try await reading.value }
    }
  }
}

extension DumpStream {
  /// All bytes from here to the end.
  func whole() async throws -> [UInt8] {
    let bytes = Mutex<[UInt8]>([])
    try await read(within: patience) { piece in bytes.withLock { $0 += piece } }
    return bytes.withLock { $0 }
  }
}

extension RealServer {
  /// Asks for the dump and hands the stream to a body.
  fileprivate func withStream(
    _ body: @escaping @Sendable (DumpStream) async throws -> Void
  ) async throws {
    try await RedisConnection.withConnection(to: RedisAddress(host: "127.0.0.1", port: port)) {
      try await body(try await $0.requestDump(forValkey: nil, timeout: patience))
    }
  }
}

/// Listens as a server that answers `SYNC` as told, and hands the stream from it to a body.
private func withMaster(
  sync: @escaping @Sendable (any Channel) -> Void, body: (DumpStream) async throws -> Void
) async throws {
  try await withListener { address in
    try await RedisConnection.withConnection(to: address) {
      try await body(try await $0.requestDump(forValkey: nil, timeout: patience))
    }
  } welcome: { channel in
    channel.pipeline.addHandler(Master(sync: sync)).whenFailure { _ in channel.close(promise: nil) }
  }
}

/// Accepts every option of a replica.
private final class Master: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private let sync: @Sendable (any Channel) -> Void

  init(sync: @escaping @Sendable (any Channel) -> Void) {
    self.sync = sync
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let channel = context.channel
    let words = String(buffer: unwrapInboundIn(data)).split(separator: "\r\n")
    for _ in words.filter({ $0 == "REPLCONF" }) {
      channel.writeAndFlush(channel.allocator.buffer(string: "+OK\r\n"), promise: nil)
    }
    if words.contains("SYNC") { sync(channel) }
  }
}
