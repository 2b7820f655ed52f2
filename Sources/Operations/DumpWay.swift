import Targets

/// The ways of a dump to here that may be asked for.
public enum DumpWay: String, Sendable, CaseIterable {
  /// The first of the others that will do, by what there is where the server lives.
  case auto
  /// Its file, with `kubectl cp`.
  case copy = "cp"
  /// Its file, with `kubectl exec`.
  case execute = "exec"
  /// The replication stream, which takes no files.
  case replication
}

extension DumpWay {
  /// How the files of a pod are read.
  var podTransport: PodVolume.Transport {
    switch self {
    case .copy: .copy
    case .execute: .execute
    case .auto, .replication: .automatic
    }
  }
}
