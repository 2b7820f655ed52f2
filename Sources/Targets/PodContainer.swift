/// A container of a pod.
public struct PodContainer: Sendable, Equatable {
  /// The name of the pod.
  public var pod: String
  /// The name of the container.
  public var container: String

  /// Creates the name of a container.
  public init(pod: String, container: String) {
    self.pod = pod
    self.container = container
  }
}
