import NIOCore
import NIOSSL

/// What the TLS library's errors mean.
enum TLSFailure {
  /// Whether an error says that TLS failed, and not only that the connection ended.
  static func isOne(_ error: any Error) -> Bool {
    switch error {
    case NIOSSLError.uncleanShutdown: false
    case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError: true
    default: false
    }
  }

  /// The fact that an error tells, in lower case.
  static func reason(_ error: any Error) -> String {
    if let error = error as? NIOSSLExtraError {
      switch error {
      case .failedToValidateHostname: return RedisError.certificateForAnotherName
      case .serverHostnameImpossibleToMatch, .invalidSNIHostname:
        return "the name of the server cannot be in a certificate"
      case .cannotUseIPAddressInSNI: return "the name of the server must not be an IP address"
      default: break
      }
    }
    if let error = error as? IOError { return ConnectFailure.reason(errno: error.errnoCode) }
    // The reasons exist only in the text of the library's errors.
    let text = String(describing: error)
    return meanings.first { text.contains($0.part) }?.fact ?? String(text.prefix(200))
  }

  private static let meanings: [(part: String, fact: String)] = [
    ("CERTIFICATE_VERIFY_FAILED", "the server's certificate is not trusted"),
    ("WRONG_VERSION_NUMBER", "the server does not speak TLS on this port"),
    ("CERTIFICATE_REQUIRED", "the server requires a client certificate"),
    ("UNKNOWN_CA", "the server does not trust the client certificate"),
    ("BAD_CERTIFICATE", "the server does not accept the client certificate"),
    ("CERTIFICATE_EXPIRED", "the server says that the client certificate has expired"),
    ("HANDSHAKE_FAILURE", "the server refused the handshake"),
    ("PROTOCOL_VERSION", "the server speaks no TLS version from 1.2"),
    ("EOF during handshake", "the server closed the connection during the handshake"),
    ("KEY_VALUES_MISMATCH", "the private key does not belong to the certificate"),
    ("failedToLoadCertificate", "not a certificate in PEM form"),
    ("failedToLoadPrivateKey", "not a private key in PEM form"),
  ]
}
