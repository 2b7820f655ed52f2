import NIOCore
import NIOPosix
import NIOSSL

/// A connection to one Redis or Valkey server, logged in.
///
/// Commands may be sent from several tasks; they are answered in the order in which they were sent.
/// The connection is lost after a timeout, a cancellation, or a reply that is not valid: each later
/// command throws ``RedisError/connectionClosed(command:)`` or the cause.
public final class RedisConnection: Sendable {
  let channel: any Channel
  let ending: ConnectionEnding

  private init(channel: any Channel, ending: ConnectionEnding) {
    self.channel = channel
    self.ending = ending
  }

  /// Connects, logs in where there are credentials, and closes when the body ends, however it ends.
  ///
  /// - Parameters:
  ///   - address: All addresses of the host are tried, IPv6 and IPv4.
  ///   - tls: Nil for a connection without encryption.
  ///   - connectTimeout: For the name, the connection, the TLS handshake and the login together.
  /// - Throws: ``RedisError``, `CancellationError`, or what the body throws.
  public static func withConnection<Result: Sendable>(
    to address: RedisAddress, credentials: RedisCredentials? = nil, tls: TLSOptions? = nil,
    connectTimeout: Duration = .seconds(10), isolation: isolated (any Actor)? = #isolation,
    _ body: (RedisConnection) async throws -> Result
  ) async throws -> Result {
    let timeout = limited(connectTimeout)
    let deadline = ContinuousClock.now + timeout
    let connection = try await open(to: address, tls: tls, timeout: timeout)
    do {
      if let credentials {
        try await connection.logIn(credentials, at: address, before: deadline)
      }
      let result = try await body(connection)
      await connection.close()
      return result
    } catch {
      await connection.close()
      throw error
    }
  }

  /// The two ends of the TCP connection, with numeric addresses; nil once it is closed.
  public var ends: (near: RedisAddress, far: RedisAddress)? {
    guard let near = channel.localAddress, let far = channel.remoteAddress,
      let nearHost = near.ipAddress, let nearPort = near.port, let farHost = far.ipAddress,
      let farPort = far.port
    else { return nil }
    return (
      RedisAddress(host: nearHost, port: nearPort), RedisAddress(host: farHost, port: farPort)
    )
  }

  /// Sends one command and waits for its reply.
  ///
  /// - Parameters:
  ///   - arguments: The words of the command; each any bytes.
  ///   - timeout: When it passes, the connection is closed.
  /// - Returns: Any reply but an error; an error inside an array is an element.
  /// - Throws: ``RedisError``, or `CancellationError` at once when the task is cancelled, which
  ///   closes the connection. The server may have carried out a command that threw any but
  ///   ``RedisError/server(_:)`` and ``RedisError/passwordRequired``.
  public func send(_ arguments: [[UInt8]], timeout: Duration) async throws -> RESPValue {
    let reply = try await reply(to: RESPCommand(arguments), timeout: timeout)
    guard case .error(let error) = reply else { return reply }
    throw error.code == "NOAUTH" ? RedisError.passwordRequired : RedisError.server(error)
  }

  /// Sends one command of text words and waits for its reply, as ``send(_:timeout:)-([[UInt8]],_)``.
  public func send(_ words: String..., timeout: Duration) async throws -> RESPValue {
    try await send(words.map { Array($0.utf8) }, timeout: timeout)
  }
}

extension RedisConnection {
  /// A time that can be counted from now: not below zero, and at most 68 years.
  static func limited(_ timeout: Duration) -> Duration {
    min(max(timeout, .zero), .seconds(1 << 31))
  }

  private static func open(
    to address: RedisAddress, tls: TLSOptions?, timeout: Duration
  ) async throws -> RedisConnection {
    guard (1...65_535).contains(address.port) else {
      throw RedisError.cannotConnect(address, reason: "no such port")
    }
    let context = try tls?.makeContext()
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    // Settled by whatever comes first: the connection, its failure, the timer, or cancellation.
    let opened = eventLoop.makePromise(of: RedisConnection.self)
    let timer = eventLoop.scheduleTask(in: TimeAmount(timeout)) {
      opened.fail(RedisError.connectTimedOut(address))
    }
    let ending = ConnectionEnding()
    let connected = ClientBootstrap(group: eventLoop)
      // Only frees the socket of an attempt that was given up; our timer is the limit.
      .connectTimeout(TimeAmount(timeout) + .seconds(1))
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let pipeline = channel.pipeline.syncOperations
          if let context {
            let name = tls?.verifiedName(of: address)
            try pipeline.addHandler(NIOSSLClientHandler(context: context, serverHostname: name))
            if let name { try pipeline.addHandler(ServerNameHandler(name: name)) }
          }
          try pipeline.addHandler(ReplyHandler(ending: ending))
        }
      }
      .connect(host: address.host, port: address.port)
    connected.whenSuccess { channel in
      // A connection that comes too late, or whose handshake failed, is closed.
      opened.futureResult.whenFailure { _ in channel.close(promise: nil) }
    }
    connected
      .flatMap { channel in
        context == nil ? channel.eventLoop.makeSucceededVoidFuture() : handshake(on: channel)
      }
      .and(connected)
      .map { RedisConnection(channel: $0.1, ending: ending) }
      .flatMapErrorThrowing { error in
        throw ending.cause ?? ConnectFailure.error(error, connecting: address, isTLS: tls != nil)
      }
      .cascade(to: opened)
    opened.futureResult.whenComplete { _ in timer.cancel() }
    return try await withTaskCancellationHandler {
      try await opened.futureResult.get()
    } onCancel: {
      opened.fail(CancellationError())
    }
  }

  /// The end of the TLS handshake of a channel.
  private static func handshake(on channel: any Channel) -> EventLoopFuture<Void> {
    channel.eventLoop
      .makeCompletedFuture {
        try channel.pipeline.syncOperations.handler(type: ReplyHandler.self).handshake
      }
      .flatMap { $0 }
      .flatMapErrorThrowing { error in
        // A channel that has closed has no handlers.
        throw error is RedisError ? error : RedisError.connectionClosed(command: nil)
      }
  }

  private func logIn(
    _ credentials: RedisCredentials, at address: RedisAddress,
    before deadline: ContinuousClock.Instant
  ) async throws {
    let reply: RESPValue
    do {
      reply = try await self.reply(
        to: credentials.command, timeout: deadline - ContinuousClock.now)
    } catch RedisError.timedOut {
      throw RedisError.connectTimedOut(address)
    }
    guard case .error(let error) = reply else { return }
    throw Self.refusesCredentials(error)
      ? RedisError.authenticationFailed(error) : RedisError.server(error)
  }

  /// Whether an answer to AUTH is about the credentials, and not about the server's state.
  private static func refusesCredentials(_ error: RedisServerError) -> Bool {
    switch error.code {
    case "WRONGPASS", "NOAUTH", "NOPERM": true
    case "ERR": !error.message.hasPrefix("ERR max number of clients")
    default: false
    }
  }

  private func reply(to command: RESPCommand, timeout: Duration) async throws -> RESPValue {
    do {
      return try await withTaskCancellationHandler {
        try Task.checkCancellation()
        let replies = channel.eventLoop.makePromise(of: [RESPValue].self)
        let request = ReplyHandler.Request(
          command: command, bytes: command.encoded, replyCount: 1,
          timeout: Self.limited(timeout), replies: replies)
        channel.writeAndFlush(request).whenFailure { [channel, ending] _ in
          // The cause is known once the channel is closed, and not always before.
          channel.closeFuture.whenComplete { _ in replies.fail(ending.error(for: command)) }
        }
        guard let reply = try await replies.futureResult.get().first else {
          throw RedisError.unexpectedReply(command: command.name)
        }
        return reply
      } onCancel: {
        channel.close(promise: nil)
      }
    } catch {
      // What failed is then the consequence of closing.
      try Task.checkCancellation()
      throw error
    }
  }

  /// Closes and waits until the socket is gone; does nothing when it is closed already.
  private func close() async {
    channel.close(promise: nil)
    await withCheckedContinuation { continuation in
      channel.closeFuture.whenComplete { _ in continuation.resume() }
    }
  }
}
