import RedisClient
import Targets

/// Where a Redis is and how to log in, as a user says it.
public struct ConnectionSettings: Sendable {
  /// The two kinds of places.
  public enum Place: Sendable {
    /// A pod.
    case kubernetes(
      namespace: String, pod: String, container: String?, context: String?, kubeconfig: String?)
    /// A host and a port, with the data directory on this machine.
    case local(host: String, port: Int)
  }

  /// Where it is.
  public var place: Place
  /// The port of the server inside its pod.
  public var podPort = 6379
  /// The ACL user; nil for the default one.
  public var user: String?
  /// The password, byte for byte; nil when none was found so far.
  public var password: [UInt8]?
  /// The Secret that holds the password when none was found: its name and key.
  public var secret: (name: String, key: String)
  /// Whether a missing Secret is an error, because the user named it.
  public var secretIsRequired = false
  /// Whether the connection is encrypted.
  public var usesTLS = false
  /// The file with the certificates of the authorities that are trusted; nil for the system's.
  public var authorityFile: String?
  /// The file with this client's certificate.
  public var certificateFile: String?
  /// The file with the key of that certificate.
  public var keyFile: String?
  /// The name that the server's certificate must have; nil for the host.
  public var serverName: String?
  /// How a local server is started again.
  public var restartCommand: String?
  /// How its dump gets here.
  public var via = DumpWay.auto
  /// How long each wait may last.
  public var limits = TimeLimits()

  /// Creates settings for a place, with the documented defaults.
  public init(_ place: Place) {
    self.place = place
    secret = ("raibid-redis", "redis-password")
  }
}

extension ServerSession {
  /// Finds the place and the password; the server itself is not talked to yet.
  ///
  /// - Throws: ``BackupError``, `CancellationError`.
  public static func open(
    _ settings: ConnectionSettings, report: @escaping ProgressReport
  ) async throws -> ServerSession {
    do {
      let target: Target
      var password = settings.password
      switch settings.place {
      case .local(let host, let port):
        target = .local(host: host, port: port, restartCommand: settings.restartCommand)
      case .kubernetes(let namespace, let pod, let container, let context, let kubeconfig):
        target = try await .kubernetes(
          KubernetesOptions(
            kubeconfig: kubeconfig, context: context, namespace: namespace, pod: .name(pod),
            container: container, port: settings.podPort,
            transport: settings.via.podTransport))
        let kubectl = Kubectl(kubeconfig: kubeconfig, context: context, namespace: namespace)
        if password == nil { password = try await secret(settings, through: kubectl, report) }
      }
      return ServerSession(
        target: target,
        credentials: password.map { RedisCredentials(username: settings.user, password: $0) },
        tls: settings.usesTLS ? tls(settings) : nil, limits: settings.limits, report: report)
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      throw BackupError(any: error, session: nil, verb: "reach")
    }
  }

  private static func secret(
    _ settings: ConnectionSettings, through kubectl: Kubectl, _ report: ProgressReport
  ) async throws -> [UInt8]? {
    let (name, key) = settings.secret
    do {
      if let value = try await kubectl.secret(name, key: key) { return value }
    } catch let error as TargetError {
      // A server without passwords needs no Secret, and one with them will say so.
      if settings.secretIsRequired { throw error }
      report(.warning("the Secret \(name) could not be read: \(error)"))
      return nil
    }
    if settings.secretIsRequired { throw BackupError.secretMissing(name: name, key: key) }
    return nil
  }

  private static func tls(_ settings: ConnectionSettings) -> TLSOptions {
    TLSOptions(
      caCertificateFile: settings.authorityFile, certificateFile: settings.certificateFile,
      privateKeyFile: settings.keyFile, serverName: settings.serverName)
  }
}

extension ConnectionSettings {
  /// What tells this Redis from others: `namespace/pod` or `host:port`, as in manifests.
  public var identity: String {
    switch place {
    case .kubernetes(let namespace, let pod, _, _, _): "\(namespace)/\(pod)"
    case .local(let host, let port): "\(host):\(port)"
    }
  }
}
