import NIOCore

/// The dump that a server sends over a connection, as to a new replica.
///
/// Nothing is read from the connection that is not asked for, so that a slow consumer holds up the
/// server and not the memory. One call at a time.
public final class DumpStream: Sendable {
  private let channel: any Channel
  private let handler: NIOLoopBound<DumpHandler>

  init(channel: any Channel, handler: NIOLoopBound<DumpHandler>) {
    self.channel = channel
    self.handler = handler
  }

  /// Waits until the dump begins.
  ///
  /// A server that is at work on its dump says so every second, for as long as that takes: the caller
  /// has to see to it that it gets on.
  ///
  /// - Parameter limit: The longest silence.
  /// - Returns: The size of the dump; nil where the server makes it while it sends it.
  /// - Throws: ``RedisError/server(_:)`` where it refuses, and as ``next(within:)``.
  public func begin(within limit: Duration) async throws -> UInt64? {
    while true {
      switch try await next(within: limit) {
      case .waiting: continue
      case .began(let byteCount): return byteCount
      case .refused(let error): throw RedisError.server(error)
      case .bytes, .ended: throw RedisError.unexpectedReply(command: "SYNC")
      }
    }
  }

  /// Delivers the whole of the dump, in order, after ``begin(within:)``.
  ///
  /// The call returns only when every byte was delivered.
  ///
  /// - Parameter limit: The longest wait for the next byte; time spent in `deliver` does not count.
  /// - Throws: ``RedisError/dumpCutShort(received:expected:)`` among others, and what `deliver` throws;
  ///   what was delivered until then is worth nothing.
  public func read(
    within limit: Duration, deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws {
    while true {
      switch try await next(within: limit) {
      case .bytes(let bytes): try await deliver(bytes)
      case .ended: return
      case .waiting, .began, .refused: throw RedisError.unexpectedReply(command: "SYNC")
      }
    }
  }

  private func next(within limit: Duration) async throws -> DumpDecoder.Event {
    let limit = RedisConnection.limited(limit)
    do {
      return try await withTaskCancellationHandler {
        try Task.checkCancellation()
        return try await channel.eventLoop.flatSubmit { [handler] in
          handler.value.next(within: limit)
        }.get()
      } onCancel: {
        channel.close(promise: nil)
      }
    } catch {
      // What failed is then the consequence of closing.
      try Task.checkCancellation()
      throw error
    }
  }
}

extension RedisConnection {
  /// Asks for all data, as a new replica does, and gives the way to the dump.
  ///
  /// The server begins a dump, or sends one that it is making for another replica. It is told that the
  /// end may be marked instead of counted, so that it need not write the dump to its disk first, and that
  /// nothing but the dump is wanted, so that it keeps no changes for us and closes after it. The
  /// connection is of no other use from then on.
  ///
  /// - Parameters:
  ///   - version: The version that the dump is for, where the server is Valkey: without one it takes us
  ///     for an old Redis, and fails on what that could not read.
  ///   - timeout: For each part of the request.
  /// - Throws: ``RedisError``; that the server will not send a dump is told by the stream.
  public func requestDump(
    forValkey version: String?, timeout: Duration
  ) async throws -> DumpStream {
    // With a port that there cannot be, a Sentinel that finds us in INFO does not take us for a replica to
    // remember; with none it does (6.2 to 9.1).
    var options = [["listening-port", "65536"], ["capa", "eof"], ["rdb-only", "1"]]
    if let version { options.append(["version", version]) }
    let commands = options.map { words in
      RESPCommand((["REPLCONF"] + words).map { Array($0.utf8) })
    }
    for case .error(let error) in try await pipeline(commands, timeout: timeout)
    where error.code != "ERR" {
      // An option that a version does not know is none that it needs.
      throw error.code == "NOAUTH" ? RedisError.passwordRequired : RedisError.server(error)
    }
    let stream = try await takeOver()
    let command = RESPCommand([Array("SYNC".utf8)])
    try await send(part: command.encoded, of: command.name, timeout: timeout)
    return stream
  }

  /// Stops reading, but for what the stream asks for.
  private func takeOver() async throws -> DumpStream {
    try await channel.eventLoop.submit { [channel, ending] in
      guard let options = channel.syncOptions, channel.isActive else {
        throw ending.cause ?? .connectionClosed(command: "SYNC")
      }
      try options.setOption(.autoRead, value: false)
      try options.setOption(.maxMessagesPerRead, value: 1)
      try options.setOption(
        .recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 256 << 10))
      let pipeline = channel.pipeline.syncOperations
      let handler = DumpHandler(ending: ending, eventLoop: channel.eventLoop)
      try pipeline.addHandler(
        handler, position: .before(try pipeline.handler(type: ReplyHandler.self)))
      return DumpStream(
        channel: channel, handler: NIOLoopBound(handler, eventLoop: channel.eventLoop))
    }.get()
  }
}
