import Glibc
import NIOCore
import NIOSSL

/// How to prove who the server is, and who we are. The server's certificate and name are always
/// verified.
public struct TLSOptions: Sendable, Equatable {
  /// A PEM file of the authorities to trust; nil for those that the system trusts.
  public var caCertificateFile: String?
  /// A PEM file of our own certificate and its chain, for servers that want one.
  public var certificateFile: String?
  /// The PEM file of the private key of that certificate.
  public var privateKeyFile: String?
  /// The name that the server's certificate must have; nil for the host of the address. Not an IP
  /// address: those are compared only with the address connected to.
  public var serverName: String?

  /// Makes options; no file is read.
  public init(
    caCertificateFile: String? = nil, certificateFile: String? = nil,
    privateKeyFile: String? = nil, serverName: String? = nil
  ) {
    self.caCertificateFile = caCertificateFile
    self.certificateFile = certificateFile
    self.privateKeyFile = privateKeyFile
    self.serverName = serverName
  }
}

extension TLSOptions {
  /// The context for one connection.
  ///
  /// - Throws: ``RedisError/tlsFailed(reason:)`` when a file cannot be used.
  package func makeContext() throws(RedisError) -> NIOSSLContext {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.certificateVerification = .fullVerification
    configuration.minimumTLSVersion = .tlsv12
    // A peer that hangs must not hold up the end of a command; replies delimit themselves.
    configuration.shutdownTimeout = .milliseconds(250)
    if let caCertificateFile {
      configuration.trustRoots = .certificates(try Self.certificates(caCertificateFile))
    }
    if let certificateFile {
      configuration.certificateChain = try Self.certificates(certificateFile)
        .map { .certificate($0) }
      // One PEM file may hold both.
      let keyFile = privateKeyFile ?? certificateFile
      configuration.privateKey = .privateKey(
        try Self.using("private key", keyFile) { try NIOSSLPrivateKey(file: keyFile, format: .pem) }
      )
    } else if let privateKeyFile {
      throw .tlsFailed(reason: "private key \(privateKeyFile) without a certificate")
    }
    do {
      return try NIOSSLContext(configuration: configuration)
    } catch {
      throw .tlsFailed(reason: TLSFailure.reason(error))
    }
  }

  /// The name to ask for and to verify; nil where only the IP address can be verified.
  package func verifiedName(of address: RedisAddress) -> String? {
    if let serverName { return serverName }
    let isIPv6 = address.host.contains(":")
    let isIPv4 = address.host.allSatisfy { $0 == "." || ("0"..."9").contains($0) }
    return isIPv6 || isIPv4 ? nil : address.host
  }

  private static func certificates(_ file: String) throws(RedisError) -> [NIOSSLCertificate] {
    let certificates = try using("certificate", file) { try NIOSSLCertificate.fromPEMFile(file) }
    guard !certificates.isEmpty else { throw .tlsFailed(reason: "no certificate in \(file)") }
    return certificates
  }

  private static func using<Loaded>(
    _ what: String, _ file: String, _ load: () throws -> Loaded
  ) throws(RedisError) -> Loaded {
    // The library tells a file that is missing like one of the wrong form.
    guard unsafe access(file, R_OK) == 0 else {
      throw .tlsFailed(
        reason: "cannot use \(what) \(file): \(ConnectFailure.reason(errno: errno))")
    }
    do {
      return try load()
    } catch {
      throw .tlsFailed(reason: "cannot use \(what) \(file): \(TLSFailure.reason(error))")
    }
  }
}
