/// Why a server does not run, and will not come up by itself.
public enum ServerOutage: Sendable, Equatable {
  /// Nothing on this host listens where it should answer, and no server works in its data directory.
  case notRunning(directory: String)
  /// Its container ends again and again; `reason` is what the kubelet says of it.
  case crashing(pod: String, reason: String)
  /// Its StatefulSet has no replicas; `replicas` is what a run that was killed has scaled it down from, nil where
  /// that was somebody else.
  case scaledDown(controller: String, replicas: Int?)
}

/// The files of a server that is kept from running.
public struct HeldFiles: Sendable {
  /// The volume.
  public let volume: any DataVolume
  /// Where its data directory may be: the one that was named, else every directory that a claim is mounted at.
  public let directories: [String]

  /// Names them.
  public init(volume: any DataVolume, directories: [String]) {
    self.volume = volume
    self.directories = directories
  }
}
