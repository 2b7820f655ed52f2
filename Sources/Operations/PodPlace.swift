import Targets

/// Which pod of which cluster a Redis lives in, as a user says it.
public struct PodPlace: Sendable, Equatable {
  /// How the pod is named.
  public enum Choice: Sendable, Equatable {
    /// By its name.
    case pod(String)
    /// The primary among the pods of a StatefulSet.
    case statefulSet(String)
    /// The primary among the pods that a label selector matches.
    case selector(String)
  }

  /// The namespace.
  public var namespace: String
  /// The pod.
  public var choice: Choice
  /// The container; nil for the one that the server runs in.
  public var container: String?
  /// The context of the kubeconfig; nil for its current one.
  public var context: String?
  /// The kubeconfig; nil for kubectl's own rules.
  public var kubeconfig: String?
  /// Whether this process runs in a pod itself.
  public var isInsideCluster: Bool

  /// Names a pod.
  public init(
    namespace: String, choice: Choice, container: String? = nil, context: String? = nil,
    kubeconfig: String? = nil, isInsideCluster: Bool = false
  ) {
    self.namespace = namespace
    self.choice = choice
    self.container = container
    self.context = context
    self.kubeconfig = kubeconfig
    self.isInsideCluster = isInsideCluster
  }

  /// What tells this Redis from others: `namespace/pod`, and where the pod is chosen `namespace/` and
  /// how, so that a primary that moves stays the same Redis.
  var identity: String {
    switch choice {
    case .pod(let name): "\(namespace)/\(name)"
    case .statefulSet(let name): "\(namespace)/statefulset/\(name)"
    case .selector(let selector): "\(namespace)/selector/\(selector)"
    }
  }

  /// What the layer below calls it.
  ///
  /// - Parameter allowsStopped: Whether a server may be meant that does not run.
  func options(_ settings: ConnectionSettings, allowsStopped: Bool) -> KubernetesOptions {
    let pod: KubernetesOptions.PodChoice =
      switch choice {
      case .pod(let name): .name(name)
      case .statefulSet(let name): .statefulSet(name)
      case .selector(let selector): .selector(selector)
      }
    return KubernetesOptions(
      kubeconfig: kubeconfig, context: context, namespace: namespace, pod: pod,
      container: container, port: settings.podPort, transport: settings.via.podTransport,
      isInsideCluster: isInsideCluster, allowsStopped: allowsStopped,
      helperImage: settings.helperImage)
  }
}
