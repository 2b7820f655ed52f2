import ArgumentParser
import Files
import Operations

/// The kinds of places where a Redis lives.
enum TargetKind: String, ExpressibleByArgument, CaseIterable, Sendable {
  case kubernetes
  case local
}

/// Where the Redis is and how to log in: options, then the environment, then raibid's credentials file,
/// then the defaults of raibid's own installation.
struct ServerOptions: ParsableArguments, Sendable {
  @Option(help: "Where the server lives: kubernetes or local (default: kubernetes).")
  var target: TargetKind?

  @Option(name: .shortAndLong, help: "The namespace of the pod (default: raibid-redis).")
  var namespace: String?

  @Option(help: "The context of the kubeconfig.")
  var context: String?

  @Option(help: "The kubeconfig.", completion: .file())
  var kubeconfig: String?

  @Option(
    help: ArgumentHelp(
      "The pod, or the StatefulSet whose primary is meant (default: raibid-redis-master-0).",
      valueName: "name|statefulset/name"))
  var pod: String?

  @Option(
    name: [.customShort("l"), .long],
    help: ArgumentHelp("Labels of pods; the primary among them is meant.", valueName: "labels"))
  var selector: String?

  @Option(
    name: .shortAndLong, help: "The container (default: redis, or the one that runs a server).")
  var container: String?

  @Option(
    help: ArgumentHelp(
      "The Secret that holds the password (default: raibid-redis/redis-password).",
      valueName: "name/key"))
  var passwordSecret: String?

  @Option(help: "The host of a local server (default: 127.0.0.1).")
  var host: String?

  @Option(help: "The port of the server, in its pod or on its host (default: 6379).")
  var port: Int?

  @Option(help: "The ACL user.")
  var user: String?

  @Option(
    help: "A file with the password; one final newline is dropped.", completion: .file())
  var passwordFile: String?

  @Flag(
    inversion: .prefixedNo,
    help: "Encrypt the connection and verify the server's certificate.")
  var tls = false

  @Option(
    help: "Certificates of the authorities to trust (default: the system's).", completion: .file())
  var cacert: String?

  @Option(help: "This client's certificate.", completion: .file())
  var cert: String?

  @Option(help: "The name that the server's certificate must have (default: the host).")
  var sni: String?

  @Option(
    help: ArgumentHelp("Give up on connecting after this time (default: 10s).", valueName: "span"),
    transform: TimeSpan.parse)
  var connectTimeout: TimeSpan?

  @Option(
    help: ArgumentHelp(
      "Give up when nothing has moved for this time (default: 60s; copying: 15s).",
      valueName: "span"), transform: TimeSpan.parse)
  var stallTimeout: TimeSpan?

  func validate() throws {
    if let port, !(1...65535).contains(port) {
      throw ValidationError("--port: \(port) is not from 1 to 65535")
    }
    if pod != nil, selector != nil,
      Settings.current.distance(of: "pod") == Settings.current.distance(of: "selector")
    {
      throw ValidationError("--pod and --selector exclude each other")
    }
    if ["password-file", "password-secret"].allSatisfy(Settings.current.isTyped) {
      throw ValidationError("--password-file and --password-secret exclude each other")
    }
    let names = [
      ("namespace", namespace), ("context", context), ("pod", pod), ("selector", selector),
      ("container", container), ("host", host),
    ]
    for (option, name) in names where name == "" || name == "statefulset/" {
      throw ValidationError("--\(option): it is empty")
    }
    if !tls, ["cacert", "cert", "sni"].contains(where: Settings.current.isTyped) {
      throw ValidationError("--cacert, --cert, --key and --sni go with --tls")
    }
  }

  /// All that is known of the connection.
  ///
  /// - Parameters:
  ///   - key: The file with the key of this client's certificate.
  ///   - restartCommand: How a local server is started again.
  ///   - readsPasswordFile: Whether a password file is opened; some can be read only once. Where it is
  ///     not, an empty password stands for the one in it.
  /// - Throws: `BackupError`.
  func settings(
    key: String?, restartCommand: String? = nil, readsPasswordFile: Bool = true,
    environment: Environment = .current
  ) throws -> ConnectionSettings {
    let credentials = try environment.credentials()
    var settings = ConnectionSettings(place(credentials, environment))
    if let port { settings.podPort = port }
    settings.user = user
    if let passwordSecret { settings.secret = try secret(passwordSecret) }
    switch passwordSource(environment, credentials) {
    case .file(let path):
      settings.password = readsPasswordFile ? try Self.password(inFile: path) : []
    case .bytes(let bytes): settings.password = bytes
    case .secret: settings.secretIsRequired = true
    case nil: break
    }
    settings.usesTLS = tls
    settings.authorityFile = cacert
    settings.certificateFile = cert
    settings.keyFile = key
    settings.serverName = sni
    settings.restartCommand = restartCommand
    if let connectTimeout { settings.limits.connect = connectTimeout.duration }
    if let stallTimeout {
      settings.limits.stall = stallTimeout.duration
      settings.limits.copyStall = stallTimeout.duration
    }
    return settings
  }

  /// The options as they were given, for commands that are proposed.
  ///
  /// - Parameter key: The file with the key of this client's certificate.
  func words(key: String?) -> [String] {
    Settings.current.typedWords([
      ("target", target?.rawValue), ("namespace", namespace), ("context", context),
      ("kubeconfig", kubeconfig), ("pod", pod), ("selector", selector),
      ("container", container), ("password-secret", passwordSecret), ("host", host),
      ("port", port.map(String.init)), ("user", user), ("password-file", passwordFile),
      ("cacert", cacert), ("cert", cert), ("tls-key", key), ("sni", sni),
    ]) + (Settings.current.isTyped("tls") ? [tls ? "--tls" : "--no-tls"] : [])
  }

  private func place(
    _ credentials: Credentials?, _ environment: Environment
  ) -> ConnectionSettings.Place {
    switch target ?? .kubernetes {
    case .kubernetes:
      .kubernetes(
        PodPlace(
          namespace: namespace ?? credentials?.namespace ?? "raibid-redis", choice: podChoice,
          container: container, context: context, kubeconfig: kubeconfig,
          isInsideCluster: environment.value("KUBERNETES_SERVICE_HOST") != nil))
    case .local:
      .local(
        host: host ?? credentials?.host ?? "127.0.0.1", port: port ?? credentials?.port ?? 6379)
    }
  }

  /// The pod; of a name and labels from different places, those that are nearer to the command line.
  private var podChoice: PodPlace.Choice {
    let settings = Settings.current
    let isNearer = settings.distance(of: "selector") < settings.distance(of: "pod")
    if let selector, pod == nil || isNearer { return .selector(selector) }
    let name = pod ?? "raibid-redis-master-0"
    let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
    guard parts.count == 2 else { return .pod(name) }
    switch parts[0] {
    case "statefulset", "statefulsets", "sts": return .statefulSet(parts[1])
    case "pod", "pods", "po": return .pod(parts[1])
    default: return .pod(name)
    }
  }

  private enum PasswordSource {
    case file(String)
    case bytes([UInt8])
    case secret
  }

  /// Where the password is; of several places the nearest to the command line: what is typed, then
  /// variables, the file with settings, raibid's credentials. Nil where none is named.
  private func passwordSource(
    _ environment: Environment, _ credentials: Credentials?
  ) -> PasswordSource? {
    let settings = Settings.current
    var sources: [(distance: Int, source: PasswordSource)] = []
    if let passwordFile {
      sources.append((settings.distance(of: "password-file"), .file(passwordFile)))
    }
    if passwordSecret != nil, target != .local {
      sources.append((settings.distance(of: "password-secret"), .secret))
    }
    if let password = environment.password {
      sources.append((Settings.variableDistance, .bytes(password)))
    }
    if let password = credentials?.givenPassword { sources.append((Int.max, .bytes(password))) }
    // Of those that are equally near, the first: a variable of this program is before one of redis-cli.
    let nearest = sources.map(\.distance).min()
    return sources.first { $0.distance == nearest }?.source
  }

  private static func password(inFile path: String) throws -> [UInt8] {
    do {
      guard var bytes = try FileTree.contents(of: path, limit: 1 << 20) else {
        throw BackupError.passwordFileMissing(path)
      }
      if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
      guard !bytes.isEmpty else { throw BackupError.passwordFileEmpty(path) }
      return bytes
    } catch let error as FileError {
      throw BackupError.passwordFile(error)
    }
  }

  private func secret(_ text: String) throws -> (name: String, key: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty else {
      throw BackupError.badValue("--password-secret", text, expected: "NAME/KEY")
    }
    return (String(parts[0]), String(parts[1]))
  }
}

/// The key of this client's certificate, for commands that have no other `--key`.
struct ClientKeyOption: ParsableArguments, Sendable {
  @Option(
    name: [.customLong("tls-key"), .customLong("key")],
    help: "The key of this client's certificate.", completion: .file())
  var key: String?
}
