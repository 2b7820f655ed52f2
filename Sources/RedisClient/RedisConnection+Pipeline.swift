import NIOCore

/// Replies that have not come yet.
public struct PendingReplies: Sendable {
  fileprivate let replies: EventLoopFuture<[RESPValue]>
  fileprivate let channel: any Channel

  /// Waits for all of them, in the order of the commands; errors are among them.
  ///
  /// - Throws: ``RedisError`` when the connection ends first, or `CancellationError`, which closes it.
  public func values() async throws -> [RESPValue] {
    try await withTaskCancellationHandler {
      try await replies.get()
    } onCancel: {
      channel.close(promise: nil)
    }
  }
}

/// Commands that are sent before the replies to earlier ones are there, and commands in several parts, so
/// that an argument need not be in memory as a whole.
extension RedisConnection {
  /// Sends bytes in which no command ends, and waits until the system has taken them.
  ///
  /// Nothing else may be sent until the command has its end: see ``send(_:replyCount:to:timeout:)``.
  /// - Parameters:
  ///   - part: In the RESP2 encoding.
  ///   - name: The command that errors name.
  ///   - timeout: When it passes, the connection is closed, and the server forgets the part.
  /// - Throws: ``RedisError``, or `CancellationError`, which closes the connection.
  public func send(part: [UInt8], of name: String, timeout: Duration) async throws {
    let command = RESPCommand([Array(name.utf8)])
    let written = channel.eventLoop.makePromise(of: Void.self)
    let limit = Self.limited(timeout)
    let timer = channel.eventLoop.scheduleTask(in: TimeAmount(limit)) { [channel, ending] in
      ending.record(.timedOut(command: command.name, after: limit))
      channel.close(promise: nil)
    }
    let replies = channel.eventLoop.makePromise(of: [RESPValue].self)
    channel
      .writeAndFlush(
        ReplyHandler.Request(
          command: command, bytes: part, replyCount: 0, timeout: limit, replies: replies)
      )
      .whenComplete { [channel, ending] result in
        timer.cancel()
        switch result {
        case .success: written.succeed()
        case .failure:
          channel.closeFuture.whenComplete { _ in
            // A write that never got to its handler has a promise still.
            replies.fail(ending.error(for: command))
            written.fail(ending.error(for: command))
          }
        }
      }
    try await withTaskCancellationHandler {
      try await written.futureResult.get()
    } onCancel: {
      channel.close(promise: nil)
    }
  }

  /// Sends bytes with the ends of commands in them, and does not wait for the replies.
  ///
  /// - Parameters:
  ///   - bytes: In the RESP2 encoding.
  ///   - replyCount: How many commands end in them.
  ///   - name: The command that errors name.
  ///   - timeout: From now to the last reply; when it passes, the connection is closed.
  public func send(
    _ bytes: [UInt8], replyCount: Int, to name: String, timeout: Duration
  ) -> PendingReplies {
    let command = RESPCommand([Array(name.utf8)])
    let replies = channel.eventLoop.makePromise(of: [RESPValue].self)
    channel
      .writeAndFlush(
        ReplyHandler.Request(
          command: command, bytes: bytes, replyCount: replyCount,
          timeout: Self.limited(timeout), replies: replies)
      )
      .whenFailure { [channel, ending] _ in
        channel.closeFuture.whenComplete { _ in replies.fail(ending.error(for: command)) }
      }
    return PendingReplies(replies: replies.futureResult, channel: channel)
  }

  /// Sends commands all at once and waits for their replies.
  ///
  /// - Returns: A reply for each command, errors among them.
  /// - Throws: ``RedisError`` when the connection ends first, or `CancellationError`, which closes it.
  public func pipeline(
    _ commands: [RESPCommand], timeout: Duration
  ) async throws -> [RESPValue] {
    guard let first = commands.first else { return [] }
    return try await send(
      commands.flatMap(\.encoded), replyCount: commands.count, to: first.name, timeout: timeout
    ).values()
  }
}

extension StreamState {
  /// Reads the replies to `XINFO STREAM`, `XINFO GROUPS` and one `XINFO CONSUMERS` for each name.
  ///
  /// Groups whose consumers were not asked for have none here.
  ///
  /// - Parameter consumers: The replies by the name of the group.
  /// - Returns: Nil when one has not that form.
  public init?(
    stream: RESPValue, groups: RESPValue, consumers: [(group: [UInt8], reply: RESPValue)]
  ) {
    guard let elements = groups.array else { return nil }
    var read: [Group] = []
    for element in elements {
      guard var group = Group(element) else { return nil }
      if let reply = consumers.first(where: { $0.group == group.name })?.reply {
        guard let listed = reply.array else { return nil }
        let known = listed.compactMap(Consumer.init)
        guard known.count == listed.count else { return nil }
        group = group.with(known)
      }
      read.append(group)
    }
    self.init(stream, groups: read)
  }
}
