/// How a server in a pod is restarted.
public enum RestartWay: String, Codable, Sendable, CaseIterable {
  /// Its pod is deleted, and the controller makes another one.
  case pod
  /// The server is told to end, and the kubelet starts its container again in the same pod.
  case server
}
