import NIOCore
import NIOPosix
import RedisClient
import Testing

/// Listens on a port of its own, says these bytes to whoever connects, and closes.
func withListener(
  saying text: String, _ body: (RedisAddress) async throws -> Void
) async throws {
  try await withListener(body) { channel in
    channel.writeAndFlush(channel.allocator.buffer(string: text))
      .whenComplete { _ in channel.close(promise: nil) }
  }
}

/// Listens on a port of its own and answers whatever arrives with these bytes.
func withListener(
  answering text: String, _ body: (RedisAddress) async throws -> Void
) async throws {
  try await withListener(body) { channel in
    channel.pipeline.addHandler(Answer(text: text)).whenFailure { _ in channel.close(promise: nil) }
  }
}

private final class Answer: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private let text: String

  init(text: String) {
    self.text = text
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    context.channel.writeAndFlush(context.channel.allocator.buffer(string: text), promise: nil)
  }
}

/// Listens on a port of its own and does something with each connection.
func withListener(
  _ body: (RedisAddress) async throws -> Void, welcome: @escaping @Sendable (any Channel) -> Void
) async throws {
  let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
    .childChannelInitializer { channel in
      welcome(channel)
      return channel.eventLoop.makeSucceededVoidFuture()
    }
    .bind(host: "127.0.0.1", port: 0).get()
  do {
    let port = try #require(listener.localAddress?.port)
    try await body(RedisAddress(host: "127.0.0.1", port: port))
  } catch {
    try await listener.close()
    throw error
  }
  try await listener.close()
}
