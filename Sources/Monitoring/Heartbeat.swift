import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import RedisClient

/// Tells a monitor of runs over HTTP how a run goes.
public struct Heartbeat: Sendable {
  /// What is told; the raw value is the path that healthchecks.io adds to a URL for it.
  public enum Event: String, Sendable, CaseIterable {
    case start = "/start"
    case success = ""
    case failure = "/fail"
  }

  /// For all tries together.
  private static let limit = Duration.seconds(10)
  private static let pause = Duration.seconds(1)

  private let url: MonitorURL
  private let authorityFile: String?

  /// Makes it; nothing is read or sent yet.
  ///
  /// - Parameters:
  ///   - url: `http` or `https`, a secret; nil is returned for anything else.
  ///   - authorityFile: A PEM file of the authorities to trust; nil for those that the system trusts.
  public init?(url: String, authorityFile: String? = nil) {
    guard let url = MonitorURL(url) else { return nil }
    self.url = url
    self.authorityFile = authorityFile
  }

  /// Tells it; the end of a run up to three times, since a word that is lost wakes somebody.
  ///
  /// - Parameter text: What the monitor shows beside it.
  /// - Throws: ``HeartbeatError``, `CancellationError`.
  public func send(_ event: Event, text: String) async throws {
    let deadline = ContinuousClock.now + Self.limit
    var triesLeft = event == .start ? 1 : 3
    while true {
      do {
        return try await tryOnce(event, text, within: deadline - .now)
      } catch let error as HeartbeatError {
        triesLeft -= 1
        guard triesLeft > 0, error.mayPass, .now + Self.pause < deadline else { throw error }
        try await Task.sleep(for: Self.pause)
      }
    }
  }

  private func tryOnce(_ event: Event, _ text: String, within limit: Duration) async throws {
    let eventLoop = MultiThreadedEventLoopGroup.singleton.any()
    // Settled by whatever comes first: the answer, its failure, the timer, or cancellation.
    let answered = eventLoop.makePromise(of: HTTPResponseStatus.self)
    // Looking up a name and connecting heed no cancellation, and are not waited for then.
    let telling = answered.completeWithTask { try await answer(to: event, text, within: limit) }
    let timer = eventLoop.scheduleTask(in: TimeAmount(limit)) {
      answered.fail(HeartbeatError.silent(seconds: Self.limit.components.seconds))
    }
    defer {
      telling.cancel()
      timer.cancel()
    }
    let status = try await withTaskCancellationHandler {
      try await answered.futureResult.get()
    } onCancel: {
      answered.fail(CancellationError())
    }
    guard (200..<300).contains(status.code) else { throw HeartbeatError.status(status.code) }
  }

  /// What the monitor answers.
  private func answer(
    to event: Event, _ text: String, within limit: Duration
  ) async throws -> HTTPResponseStatus {
    do {
      let tls = url.usesTLS ? TLSOptions(caCertificateFile: authorityFile) : nil
      let context = try tls?.makeContext()
      let address = RedisAddress(host: url.host, port: url.port)
      let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
        // Only frees the socket of an attempt that was given up; our timer is the limit.
        .connectTimeout(TimeAmount(limit) + .seconds(1))
        .connect(host: url.host, port: url.port) { channel in
          channel.eventLoop.makeCompletedFuture {
            let pipeline = channel.pipeline.syncOperations
            if let context {
              try pipeline.addHandler(
                NIOSSLClientHandler(
                  context: context, serverHostname: tls?.verifiedName(of: address)))
            }
            try pipeline.addHTTPClientHandlers()
            return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(
              wrappingChannelSynchronously: channel)
          }
        }
      return try await channel.executeThenClose { answers, requests in
        var failure: (any Error)?
        do {
          try await requests.write(contentsOf: url.request(event, text))
        } catch {
          // Why it was closed stands among the answers.
          failure = error
        }
        for try await case .head(let head) in answers { return head.status }
        try Task.checkCancellation()
        throw failure ?? HeartbeatError.unreachable("the connection was closed without an answer")
      }
    } catch let error as HeartbeatError {
      throw error
    } catch RedisError.tlsFailed(let reason) {
      throw HeartbeatError.unreachable(reason)
    } catch is HTTPParserError {
      throw HeartbeatError.unreachable("its answer is not HTTP")
    } catch {
      try Task.checkCancellation()
      throw HeartbeatError.unreachable(ConnectFailure.fact(error))
    }
  }
}
