/// Where a server was found, as a backup's manifest keeps it.
public struct TargetSource: Sendable, Equatable {
  /// The kind of place.
  public enum Kind: String, Sendable {
    case kubernetes
    case local
  }

  /// The kind of place.
  public var target: Kind
  /// The context of the kubeconfig.
  public var context: String?
  /// The namespace of the pod.
  public var namespace: String?
  /// The name of the pod.
  public var pod: String?
  /// How the pod was chosen where it was not named: `statefulset/NAME` or `selector/SELECTOR`.
  public var chosenBy: String?
  /// The name of the container.
  public var container: String?
  /// The image of the container, as the pod asks for it.
  public var image: String?
  /// The host of a local server.
  public var host: String?
  /// The port of a local server.
  public var port: Int?

  /// Creates a source from what is known of it.
  public init(
    target: Kind, context: String? = nil, namespace: String? = nil, pod: String? = nil,
    chosenBy: String? = nil, container: String? = nil, image: String? = nil, host: String? = nil,
    port: Int? = nil
  ) {
    self.target = target
    self.context = context
    self.namespace = namespace
    self.pod = pod
    self.chosenBy = chosenBy
    self.container = container
    self.image = image
    self.host = host
    self.port = port
  }
}
