import NIOCore
import NIOSSL
import NIOTLS

/// Lets a handshake count only when the server's certificate is for the name asked for.
///
/// The TLS library also accepts a certificate for the IP address connected to. Through a tunnel that
/// is 127.0.0.1, which is in the certificates of many servers.
final class ServerNameHandler: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let name: String

  init(name: String) {
    self.name = name
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .handshakeCompleted? = event as? TLSUserEvent else {
      return context.fireUserInboundEventTriggered(event)
    }
    do {
      let certificate = try context.pipeline.syncOperations.nioSSL_peerCertificate()
      guard let certificate, Self.names(in: certificate, include: name) else {
        throw NIOSSLExtraError.failedToValidateHostname
      }
      context.fireUserInboundEventTriggered(event)
    } catch {
      context.fireErrorCaught(error)
    }
  }

  private static func names(in certificate: NIOSSLCertificate, include name: String) -> Bool {
    let names = certificate._subjectAlternativeNames()
    // Without any, the library has compared the common name.
    return names.isEmpty
      || names.contains {
        $0.nameType == .dnsName
          && matches(name, pattern: String(decoding: $0.contents, as: UTF8.self))
      }
  }

  /// Compares a host name with a name in a certificate, whose first label may be `*`.
  ///
  /// Source: RFC 9525, section 6.3.
  static func matches(_ name: String, pattern: String) -> Bool {
    let name = name.lowercased().dropLast(name.hasSuffix(".") ? 1 : 0)
    let pattern = pattern.lowercased()
    guard pattern.hasPrefix("*.") else { return name == pattern }
    guard let period = name.firstIndex(of: "."), period > name.startIndex else { return false }
    return name[period...] == pattern.dropFirst()
  }
}
