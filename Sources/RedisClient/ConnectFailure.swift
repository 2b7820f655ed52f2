import Glibc
import NIOCore
import NIOPosix

/// What the network library's errors mean while connecting.
package enum ConnectFailure {
  /// The error to throw for one of the library.
  static func error(
    _ error: any Error, connecting address: RedisAddress, isTLS: Bool
  ) -> any Error {
    switch error {
    case let error as NIOConnectionError:
      // Where TLS cannot even begin, no address was tried.
      error.connectionErrors.first { TLSFailure.isOne($0.error) }
        .map { RedisError.tlsFailed(reason: TLSFailure.reason($0.error)) }
        ?? RedisError.cannotConnect(address, reason: reason(error))
    case RedisError.connectionClosed where isTLS:
      RedisError.tlsFailed(reason: "the server closed the connection during the handshake")
    case is RedisError: error
    case _ where TLSFailure.isOne(error):
      RedisError.tlsFailed(reason: TLSFailure.reason(error))
    default: RedisError.cannotConnect(address, reason: reason(error))
    }
  }

  /// The fact that an error of the network or TLS library tells, in lower case.
  package static func fact(_ error: any Error) -> String {
    switch error {
    case let error as NIOConnectionError:
      error.connectionErrors.first { TLSFailure.isOne($0.error) }
        .map { TLSFailure.reason($0.error) } ?? reason(error)
    case _ where TLSFailure.isOne(error): TLSFailure.reason(error)
    default: reason(error)
    }
  }

  private static func reason(_ error: NIOConnectionError) -> String {
    let reasons = error.connectionErrors.map { reason($0.error) }
    let distinct = reasons.enumerated().filter { !reasons[..<$0.offset].contains($0.element) }
    if !distinct.isEmpty { return distinct.map(\.element).joined(separator: ", ") }
    return (error.dnsAAAAError ?? error.dnsAError).map { reason($0) } ?? "the host has no address"
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case let error as SocketAddressError.UnknownHost:
      "cannot resolve the host: \(error.errorDescription.lowercased())"
    case let error as IOError: reason(errno: error.errnoCode)
    case ChannelError.connectTimeout: "connection timed out"
    default: String(String(describing: error).prefix(200))
    }
  }

  /// What a system error means.
  static func reason(errno: CInt) -> String {
    switch errno {
    case ECONNREFUSED: "connection refused"
    case ECONNRESET: "connection reset"
    case EHOSTUNREACH: "no route to host"
    case ENETUNREACH: "network is unreachable"
    case ETIMEDOUT: "connection timed out"
    case EACCES, EPERM: "permission denied"
    case ENOENT: "no such file"
    case ENOTDIR, EISDIR: "not a file"
    case EMFILE, ENFILE: "too many open files"
    case EADDRNOTAVAIL: "address not available"
    default: "error \(errno)"
    }
  }
}
