import ArchiveStore
import RedisClient
import Targets

/// Where a Redis is and how to log in, as a user says it.
public struct ConnectionSettings: Sendable {
  /// The two kinds of places.
  public enum Place: Sendable {
    /// A pod.
    case kubernetes(PodPlace)
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
  /// The image of the pod that reaches the files of a server that does not run; nil for the server's own.
  public var helperImage: String?
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
  /// Finds the place and the password; a server that is named is not talked to yet.
  ///
  /// For a backup the search for a primary is made again, as ``RetryPolicy`` has it, where none or several
  /// take writes: so it is for a while after each failover.
  ///
  /// - Parameter archives: Where it is logged whether a restore may have left the server stopped; nil where that
  ///   is looked for later.
  /// - Throws: ``BackupError``, `CancellationError`.
  public static func open(
    _ settings: ConnectionSettings, for use: ServerUse, archives: ArchiveDirectory? = nil,
    report: @escaping ProgressReport
  ) async throws -> ServerSession {
    let clock = ContinuousClock()
    let start = clock.now
    var retries = RetryPolicy()
    while true {
      do {
        return try await find(settings, use, report)
      } catch let cancellation as CancellationError {
        throw cancellation
      } catch {
        let failure = BackupError(any: error, session: nil, verb: "reach")
        guard (error as? PrimaryUnclear)?.isReached == true, use != .restore,
          let pause = retries.pause(after: .transport, at: clock.now - start)
        else { throw try explained(failure, settings, archives) }
        report(.warning(failure.tryingAgain(in: pause)))
        try await clock.sleep(for: pause)
      }
    }
  }

  /// What is said of a server that cannot be reached, where a restore may have left it so.
  private static func explained(
    _ failure: BackupError, _ settings: ConnectionSettings, _ archives: ArchiveDirectory?
  ) throws -> BackupError {
    guard failure.kind == .unavailable, let archives,
      try RestoreLog(archives).unfinishedTargets().contains(settings.identity)
    else { return failure }
    return .serverLeftStopped(settings.identity)
  }

  private static func find(
    _ settings: ConnectionSettings, _ use: ServerUse, _ report: @escaping ProgressReport
  ) async throws -> ServerSession {
    switch settings.place {
    case .local(let host, let port):
      let target = Target.local(
        host: host, port: port, restartCommand: settings.restartCommand)
      return session(target, settings, password: settings.password, report)
    case .kubernetes(let place):
      let targets = try await Target.kubernetes(
        place.options(settings, allowsStopped: use == .restore))
      let kubectl = Kubectl(
        kubeconfig: place.kubeconfig, context: place.context, namespace: place.namespace,
        isInsideCluster: place.isInsideCluster)
      var password = settings.password
      var fault: TargetError?
      if password == nil {
        do {
          password = try await secret(settings, through: kubectl)
        } catch let error as TargetError where !settings.secretIsRequired {
          // A server without passwords needs no Secret, and one with them will say so.
          report(.warning("the Secret \(settings.secret.name) could not be read: \(error)"))
          fault = error
        }
      }
      let sessions = targets.found.map { session($0, settings, password: password, report) }
      var chosen = try await PrimarySearch(
        sessions: sessions, unseen: targets.unseen, choice: place.choice, use: use, report: report
      ).run()
      chosen.secretFault = fault
      if settings.leavesPodOpen { chosen.search = { try await find(settings, use, report) } }
      return chosen
    }
  }

  private static func session(
    _ target: Target, _ settings: ConnectionSettings, password: [UInt8]?,
    _ report: @escaping ProgressReport
  ) -> ServerSession {
    // A user who needs no password (`nopass`) logs in with any.
    let isLogin = password != nil || settings.user != nil
    return ServerSession(
      target: target,
      credentials: isLogin
        ? RedisCredentials(username: settings.user, password: password ?? []) : nil,
      tls: settings.usesTLS ? tls(settings) : nil, limits: settings.limits, report: report)
  }

  private static func secret(
    _ settings: ConnectionSettings, through kubectl: Kubectl
  ) async throws -> [UInt8]? {
    let (name, key) = settings.secret
    if let value = try await kubectl.secret(name, key: key) { return value }
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
  /// Whether several pods may be meant.
  public var leavesPodOpen: Bool {
    guard case .kubernetes(let place) = place else { return false }
    if case .pod = place.choice { return false }
    return true
  }

  /// What tells this Redis from others, as in manifests: where its pod is, or `host:port`.
  public var identity: String {
    switch place {
    case .kubernetes(let place): place.identity
    case .local(let host, let port): "\(host):\(port)"
    }
  }
}
