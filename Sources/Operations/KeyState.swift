import RedisClient

/// What became of a key.
public enum KeyState: Sendable, Equatable {
  /// It is written, and was compared before anybody else could see it.
  case written
  /// It was left out, or its time passed while it was written.
  case expired
  /// The server refused it; nothing was written.
  case refused(RedisServerError)
  /// It is written, but is not as in the backup.
  case differs(String)
  /// It was not sent any more, or not to its end; nothing was written.
  case notWritten
  /// It was sent, and the connection ended before the reply.
  case unknown
}

extension KeyState {
  /// What the server said, or what was found; nil where the state says all.
  public var message: String? {
    switch self {
    case .refused(let error): error.message
    case .differs(let difference): difference
    case .written, .expired, .notWritten, .unknown: nil
    }
  }
}
