/// Which server of which cluster.
public struct KubernetesOptions: Sendable, Equatable {
  /// How the pod is named.
  public enum PodChoice: Sendable, Equatable {
    case name(String)
    /// All pods of a StatefulSet.
    case statefulSet(String)
    /// All pods that a label selector matches.
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
  /// Nil for the only container, the one named `redis` or `valkey`, or else the one that runs a server.
  public var container: String?
  /// The port that the server listens on in the pod.
  public var port: Int
  /// How files are read.
  public var transport: PodVolume.Transport
  /// Whether this process runs in a pod of a cluster; the one that kubectl speaks to when there is no
  /// kubeconfig.
  public var isInsideCluster: Bool
  /// Whether a server may be meant that does not run: in a container that is down, or in the pod that a
  /// StatefulSet of one would have.
  public var allowsStopped: Bool
  /// The image of the pod that reaches the files of a server that is held; nil for the server's own.
  public var helperImage: String?

  /// Creates the options.
  public init(
    kubectl: String = "kubectl", kubeconfig: String? = nil, context: String? = nil,
    namespace: String, pod: PodChoice, container: String? = nil, port: Int = 6379,
    transport: PodVolume.Transport = .automatic, isInsideCluster: Bool = false,
    allowsStopped: Bool = false, helperImage: String? = nil
  ) {
    self.kubectl = kubectl
    self.kubeconfig = kubeconfig
    self.context = context
    self.namespace = namespace
    self.pod = pod
    self.container = container
    self.port = port
    self.transport = transport
    self.isInsideCluster = isInsideCluster
    self.allowsStopped = allowsStopped
    self.helperImage = helperImage
  }
}
