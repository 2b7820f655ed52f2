/// The Redis that an archive was taken from, as it was then.
public struct Source: Codable, Sendable, Equatable {
  /// "kubernetes" or "local".
  public var target: String
  /// The context of the kubeconfig.
  @ExplicitNull public var context: String?
  /// The namespace of the pod.
  @ExplicitNull public var namespace: String?
  /// The pod.
  @ExplicitNull public var pod: String?
  /// How the pod was chosen, where it was not named: `statefulset/NAME` or `selector/SELECTOR`.
  @ExplicitNull public var chosenBy: String?
  /// The container in the pod.
  @ExplicitNull public var container: String?
  /// The container's image.
  @ExplicitNull public var image: String?
  /// The host, where it is not a pod.
  @ExplicitNull public var host: String?
  /// The port, where it is not a pod.
  @ExplicitNull public var port: Int?
  /// "redis" or "valkey".
  public var server: String
  /// The version of the server.
  public var serverVersion: String
  /// The identity that the server process gave itself at its start.
  public var runID: String
  /// "master" or "slave".
  public var role: String
  /// Whether the server kept an append-only file.
  public var appendonly: Bool
  /// What the server does when its memory is full.
  @ExplicitNull public var maxmemoryPolicy: String?

  enum CodingKeys: String, CodingKey {
    case target, context, namespace, pod, container, image, host, port, server, role, appendonly
    case chosenBy = "chosen_by"
    case serverVersion = "server_version"
    case runID = "run_id"
    case maxmemoryPolicy = "maxmemory_policy"
  }

  /// Creates a source; the places that do not apply are left nil and set afterwards.
  public init(
    target: String, server: String, serverVersion: String, runID: String, role: String,
    appendonly: Bool
  ) {
    self.target = target
    self.server = server
    self.serverVersion = serverVersion
    self.runID = runID
    self.role = role
    self.appendonly = appendonly
  }

  /// What tells one Redis from another in a directory: `namespace/pod` or `host:port`.
  ///
  /// Where the pod was chosen, how it was takes its place: a primary that moves stays the same Redis.
  public var identity: String {
    if let namespace, let pod { return "\(namespace)/\(chosenBy ?? pod)" }
    return "\(host ?? "?"):\(port ?? 0)"
  }
}
