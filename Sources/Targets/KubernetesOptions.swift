/// Which server of which cluster.
public struct KubernetesOptions: Sendable, Equatable {
  /// How the pod is named.
  public enum PodChoice: Sendable, Equatable {
    case name(String)
    /// A label selector that matches exactly one pod.
    case selector(String)
  }

  /// The kubectl to call: a name in `PATH`, or a path.
  public var kubectl: String
  /// Nil for kubectl's own rules.
  public var kubeconfig: String?
  /// Nil for the current context of the kubeconfig.
  public var context: String?
  /// The namespace of the pod.
  public var namespace: String
  /// Which pod.
  public var pod: PodChoice
  /// Nil for the container named `redis` or `valkey`, or else the only one.
  public var container: String?
  /// The port that the server listens on in the pod.
  public var port: Int
  /// How files are read.
  public var transport: PodVolume.Transport

  /// Creates the options.
  public init(
    kubectl: String = "kubectl", kubeconfig: String? = nil, context: String? = nil,
    namespace: String, pod: PodChoice, container: String? = nil, port: Int = 6379,
    transport: PodVolume.Transport = .automatic
  ) {
    self.kubectl = kubectl
    self.kubeconfig = kubeconfig
    self.context = context
    self.namespace = namespace
    self.pod = pod
    self.container = container
    self.port = port
    self.transport = transport
  }
}
