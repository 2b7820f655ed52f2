import NIOCore

/// Takes the bytes of a connection that has become a replica's, no faster than they are asked for.
///
/// It stands in front of the handler of replies, which still answers for the end of the connection.
final class DumpHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private struct Asked {
    let event: EventLoopPromise<DumpDecoder.Event>
    let timer: Scheduled<Void>
  }

  private let ending: ConnectionEnding
  private let eventLoop: any EventLoop
  /// Nil once the connection is gone; what had arrived until then is still to be had.
  private var context: ChannelHandlerContext?
  private var decoder = DumpDecoder()
  private var asked: Asked?
  private var isOver = false
  private var hasBegun = false
  private var expectedByteCount: UInt64?
  private var receivedByteCount: UInt64 = 0

  init(ending: ConnectionEnding, eventLoop: any EventLoop) {
    self.ending = ending
    self.eventLoop = eventLoop
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    finish()
    self.context = nil
  }

  /// The next event; there must be no other that is still waited for.
  ///
  /// - Parameter limit: When it passes without one, the connection is closed.
  func next(within limit: Duration) -> EventLoopFuture<DumpDecoder.Event> {
    let event = eventLoop.makePromise(of: DumpDecoder.Event.self)
    let timer = eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(limit)) {
      self.asked = nil
      event.fail(RedisError.timedOut(command: "SYNC", after: limit))
      self.context?.close(promise: nil)
    }
    asked = Asked(event: event, timer: timer)
    answer()
    if isOver { finish() } else if asked != nil { context?.read() }
    return event.futureResult
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    decoder.push(unwrapInboundIn(data).readableBytesView)
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    answer()
    // Less than an event, or than a record of TLS.
    if asked != nil { context.read() }
  }

  func channelInactive(context: ChannelHandlerContext) {
    answer()
    finish()
    context.fireChannelInactive()
  }

  /// Gives what has arrived to whoever asked.
  private func answer() {
    guard let asked else { return }
    do throws(RESPError) {
      guard let event = try decoder.next() else { return }
      count(event)
      self.asked = nil
      asked.timer.cancel()
      asked.event.succeed(event)
    } catch {
      self.asked = nil
      asked.timer.cancel()
      asked.event.fail(RedisError.protocolViolation(error))
      context?.close(promise: nil)
    }
  }

  private func count(_ event: DumpDecoder.Event) {
    switch event {
    case .began(let byteCount):
      hasBegun = true
      expectedByteCount = byteCount
    case .bytes(let bytes): receivedByteCount += UInt64(bytes.count)
    case .waiting, .ended, .refused: break
    }
  }

  /// Nothing more will arrive.
  private func finish() {
    isOver = true
    guard let asked else { return }
    self.asked = nil
    asked.timer.cancel()
    let error =
      hasBegun
      ? RedisError.dumpCutShort(received: receivedByteCount, expected: expectedByteCount)
      : ending.cause ?? .connectionClosed(command: "SYNC")
    asked.event.fail(error)
  }
}
