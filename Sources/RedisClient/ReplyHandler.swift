import NIOCore
import NIOTLS

/// Sends commands and gives each its reply, in order.
///
/// Every request that reaches it is answered: by its reply, by a timeout, or by why the connection
/// ended.
final class ReplyHandler: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = Request
  typealias OutboundOut = ByteBuffer

  struct Request: Sendable {
    /// What errors name.
    let command: RESPCommand
    /// What is sent: whole commands, or a part of one.
    let bytes: [UInt8]
    /// How many commands end in these bytes.
    let replyCount: Int
    /// From sending to the last reply.
    let timeout: Duration
    let replies: EventLoopPromise<[RESPValue]>
  }

  private struct Waiting {
    let request: Request
    let timer: Scheduled<Void>
    var replies: [RESPValue] = []
  }

  private let ending: ConnectionEnding
  private var handshakeEnd: EventLoopPromise<Void>?
  private var decoder = RESPDecoder()
  private var waiting = CircularBuffer<Waiting>()

  init(ending: ConnectionEnding) {
    self.ending = ending
  }

  /// Succeeds when the TLS handshake is done, fails when the connection ends before.
  var handshake: EventLoopFuture<Void> {
    get throws {
      guard let handshakeEnd else { throw RedisError.connectionClosed(command: nil) }
      return handshakeEnd.futureResult
    }
  }

  func handlerAdded(context: ChannelHandlerContext) {
    handshakeEnd = context.eventLoop.makePromise()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if case .handshakeCompleted? = event as? TLSUserEvent { handshakeEnd?.succeed() }
    context.fireUserInboundEventTriggered(event)
  }

  func write(
    context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?
  ) {
    let request = unwrapOutboundIn(data)
    if let cause = ending.cause {
      promise?.fail(cause)
      return request.replies.fail(cause)
    }
    let bytes = context.channel.allocator.buffer(bytes: request.bytes)
    guard request.replyCount > 0 else {
      request.replies.succeed([])
      return context.write(wrapOutboundOut(bytes), promise: promise)
    }
    let timer = context.eventLoop.assumeIsolated()
      .scheduleTask(in: TimeAmount(request.timeout)) {
        request.replies.fail(
          RedisError.timedOut(command: request.command.name, after: request.timeout))
        context.close(promise: nil)
        self.end()
      }
    waiting.append(Waiting(request: request, timer: timer))
    context.write(wrapOutboundOut(bytes), promise: promise)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.push(unwrapInboundIn(data).readableBytesView)
    do throws(RESPError) {
      while let value = try decoder.next() {
        guard !waiting.isEmpty else { return refuse(value, context: context) }
        waiting[waiting.startIndex].replies.append(value)
        guard let first = waiting.first, first.replies.count == first.request.replyCount else {
          continue
        }
        waiting.removeFirst()
        first.timer.cancel()
        first.request.replies.succeed(first.replies)
      }
    } catch {
      ending.record(.protocolViolation(error))
      context.close(promise: nil)
      end()
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if TLSFailure.isOne(error) {
      ending.record(.tlsFailed(reason: TLSFailure.reason(error)))
    }
    context.close(promise: nil)
    end()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func close(
    context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?
  ) {
    end()
    context.close(mode: mode, promise: promise)
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    end()
  }

  /// A server that turns a connection away says why without being asked: `DENIED`, or too many
  /// clients.
  private func refuse(_ value: RESPValue, context: ChannelHandlerContext) {
    if case .error(let error) = value {
      ending.record(.server(error))
    } else {
      ending.record(
        .protocolViolation(RESPError(.unrequestedReply, byteOffset: decoder.byteOffset)))
    }
    context.close(promise: nil)
    end()
  }

  /// Answers everything that still waits.
  private func end() {
    handshakeEnd?.fail(ending.cause ?? .connectionClosed(command: nil))
    while let unanswered = waiting.popFirst() {
      unanswered.timer.cancel()
      unanswered.request.replies.fail(ending.error(for: unanswered.request.command))
    }
  }
}
