import Synchronization

/// Why a connection ends, once that is known; read by commands that come too late.
final class ConnectionEnding: Sendable {
  private let known = Mutex<RedisError?>(nil)

  /// The first cause that was recorded.
  var cause: RedisError? { known.withLock { $0 } }

  /// Records a cause, unless there is one.
  func record(_ cause: RedisError) {
    known.withLock { $0 = $0 ?? cause }
  }

  /// The error of a command that got no reply.
  func error(for command: RESPCommand) -> RedisError {
    cause ?? .connectionClosed(command: command.name)
  }
}
