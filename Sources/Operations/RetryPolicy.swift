import RedisClient
import Targets

/// Decides whether and when a backup that failed under way is made once more, from the start.
///
/// A stall is tried again once, a fault of the way to the server three times, and nothing later than a
/// minute after the first failure.
struct RetryPolicy: Sendable {
  /// Failures that may not come again.
  enum Fault: Sendable, Equatable {
    /// Nothing was heard for too long.
    case stall
    /// The way broke, or what came over it was not whole.
    case transport
    /// The server is not back yet, or nobody is the primary: an answer by itself, but not after another
    /// failure.
    case notBack
  }

  private static let pauses = [Duration.seconds(1), .seconds(4), .seconds(16)]
  private static let limit = Duration.seconds(60)

  private var firstFailure: Duration?
  private var hasStalled = false
  private var faultCount = 0

  /// The time to wait before the next try; nil when there shall be none.
  ///
  /// - Parameter now: The time since the start; it never goes back.
  mutating func pause(after fault: Fault, at now: Duration) -> Duration? {
    let first = firstFailure ?? now
    let pause: Duration
    switch fault {
    case .stall:
      guard !hasStalled else { return nil }
      hasStalled = true
      pause = Self.pauses[0]
    case .notBack where firstFailure == nil: return nil
    case .transport, .notBack:
      guard faultCount < Self.pauses.count else { return nil }
      pause = Self.pauses[faultCount]
      faultCount += 1
    }
    firstFailure = first
    return now + pause - first <= Self.limit ? pause : nil
  }
}

/// The server reads its data; how much of it is done, in percent, where it tells.
struct ServerIsLoading: Error {
  let percent: Double?
}

extension RetryPolicy.Fault {
  /// Nil for a failure that would only come again.
  init?(_ error: any Error) {
    switch error {
    case let error as RedisError:
      switch error {
      case .timedOut: self = .stall
      case .cannotConnect, .connectTimedOut, .connectionClosed, .dumpCutShort: self = .transport
      case .server(let reply) where reply.code == "LOADING": self = .notBack
      default: return nil
      }
    case let error as TargetError:
      switch error {
      case .stalled: self = .stall
      case .cutShort, .changedWhileReading, .replacedOften, .incompleteAnswer, .commandFailed,
        .clusterUnreachable, .podNotRunning, .podNotFound, .noPod:
        self = .transport
      default: return nil
      }
    case is ServerIsLoading, is PrimaryUnclear: self = .notBack
    case is ServerChanged: self = .transport
    default: return nil
    }
  }
}
