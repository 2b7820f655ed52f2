/// Why a connection or a command failed. Holds names of commands, never their arguments.
public enum RedisError: Error, Sendable, Equatable {
  /// No address of the host could be reached.
  case cannotConnect(RedisAddress, reason: String)
  /// Connecting, the TLS handshake and logging in together took longer than allowed.
  case connectTimedOut(RedisAddress)
  /// The TLS files cannot be used, or the server's identity could not be proven, or it refused ours.
  case tlsFailed(reason: String)
  /// The server did not accept the credentials; the reply tells whether they are wrong or, `ERR`,
  /// none are configured.
  case authenticationFailed(RedisServerError)
  /// The server wants a password before this command.
  case passwordRequired
  /// The server answered a command with an error.
  case server(RedisServerError)
  /// The server did not answer in time; the connection is closed.
  case timedOut(command: String, after: Duration)
  /// The connection ended before the reply was there, or was closed already.
  case connectionClosed(command: String?)
  /// The peer does not speak RESP2 within the limits; the connection is closed.
  case protocolViolation(RESPError)
  /// The reply is valid RESP2 and not of the form that this command has.
  case unexpectedReply(command: String)
  /// The connection ended in the middle of a dump; its size is known where the server has told it.
  case dumpCutShort(received: UInt64, expected: UInt64?)
}

extension RedisError: CustomStringConvertible {
  /// The fact, in lower case and without full stop.
  public var description: String {
    switch self {
    case .cannotConnect(let address, let reason): "no connection to \(address): \(reason)"
    case .connectTimedOut(let address): "no connection to \(address) in time"
    case .tlsFailed(let reason): "TLS failed: \(reason)"
    case .authenticationFailed(let error): "the server did not accept the credentials: \(error)"
    case .passwordRequired: "the server requires a password"
    case .server(let error): "the server answered: \(error)"
    case .timedOut(let command, let duration): "no reply to \(command) within \(duration)"
    case .connectionClosed(let command?): "the connection closed before the reply to \(command)"
    case .connectionClosed(nil): "the connection closed"
    case .protocolViolation(let error): "not a valid reply: \(error)"
    case .unexpectedReply(let command): "unexpected form of the reply to \(command)"
    case .dumpCutShort(let received, let expected?):
      "the dump was cut short: \(received) of \(expected) bytes arrived"
    case .dumpCutShort(let received, nil):
      "the dump was cut short: \(received) bytes arrived, and not its end"
    }
  }
}

extension RedisError {
  /// The reason of ``tlsFailed(reason:)`` where the certificate is good, but not for the name that was asked
  /// for.
  public static let certificateForAnotherName = "the server's certificate is for another name"
}
