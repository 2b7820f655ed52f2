/// Why something could not be done where a server lives: the fact, without advice.
public enum TargetError: Error, Sendable, Equatable {
  /// A program that this host needs is not installed.
  case toolMissing(name: String)
  /// A program that the container needs is not in its image.
  case toolMissingInContainer(name: String, container: String)
  case namespaceNotFound(namespace: String)
  case podNotFound(namespace: String, pod: String)
  /// A StatefulSet has no pod, or a selector matches none; `that` says which: "matches app=redis".
  case noPod(namespace: String, that: String)
  /// A StatefulSet has no pod, since a restore keeps its server from running.
  case heldByRestore(statefulSet: String)
  /// No container is named so, or, when none was named, none runs a server.
  case containerNotFound(container: String?, pod: String, available: [String])
  /// Several containers run a server.
  case containerNotUnique(pod: String, containers: [String])
  /// No label selector; `message` is what the API server says of it.
  case notASelector(selector: String, message: String)
  case contextNotFound(context: String)
  /// The API server refused; `message` is its text, with verb and resource.
  case forbidden(message: String)
  case clusterUnreachable(message: String)
  /// The pod is there, but it or the container does not run; `reason` is the phase or the state.
  case podNotRunning(pod: String, reason: String)
  case fileNotFound(path: String)
  case notRegularFile(path: String)
  case permissionDenied(path: String)
  case noSpace(path: String)
  case linksNotSupported(path: String, message: String)
  case fileExists(path: String)
  /// Another process of this tool is at work on the same server.
  case restoreAtWork(processID: Int)
  /// Fewer bytes arrived than the file has.
  case cutShort(path: String, expected: UInt64, received: UInt64)
  case changedWhileReading(path: String)
  /// No file was put there that could be the one that was asked for.
  case notReplaced(path: String)
  /// Nobody can tell who writes there: this limit of inotify is reached.
  case notWatched(setting: String)
  /// Several files were put there, and which of them was asked for cannot be told.
  case replacedOften(path: String)
  /// Nothing was heard for so long that the wait was ended.
  case stalled(what: String, seconds: Double)
  /// More than the caller or this module is willing to hold in memory.
  case tooLong(what: String, limit: Int)
  /// An answer ended before its end mark.
  case incompleteAnswer(what: String)
  /// An answer that does not have the form it should have.
  case unexpectedAnswer(what: String, message: String)
  case commandFailed(name: String, status: Int, message: String)
  case io(path: String, message: String)
  case noRestartCommand
  case restartCommandFailed(status: Int, output: String)
  case serverStillRunning(processID: Int)
  case podDidNotComeBack(reason: String)
  /// A server runs on files that are held, or shall be; the text names it.
  case serverRuns(String)
}

extension TargetError: CustomStringConvertible {
  /// The fact, in lower case and without a full stop.
  public var description: String {
    switch self {
    case .toolMissing(let name):
      "\(name) is not installed"
    case .toolMissingInContainer(let name, let container):
      "container \(container) has no \(name)"
    case .namespaceNotFound(let namespace):
      "no namespace \(namespace)"
    case .podNotFound(let namespace, let pod):
      "no pod \(pod) in namespace \(namespace)"
    case .noPod(let namespace, let that):
      "no pod in namespace \(namespace) \(that)"
    case .heldByRestore(let statefulSet):
      "StatefulSet \(statefulSet) is scaled to 0 by a restore that has not ended"
    case .containerNotFound(let container?, let pod, let available):
      "pod \(pod) has no container \(container), only \(available.joined(separator: ", "))"
    case .containerNotFound(nil, let pod, let available):
      "none of the containers of pod \(pod) runs redis-server or valkey-server: "
        + available.joined(separator: ", ")
    case .containerNotUnique(let pod, let containers):
      "\(containers.count) containers of pod \(pod) run a server: "
        + containers.joined(separator: ", ")
    case .notASelector(let selector, let message):
      "\(selector) is no label selector: \(message)"
    case .contextNotFound(let context):
      "no context \(context) in the kubeconfig"
    case .forbidden(let message):
      "the cluster refused: \(message)"
    case .clusterUnreachable(let message):
      "the cluster does not answer: \(message)"
    case .podNotRunning(let pod, let reason):
      "pod \(pod) is not running: \(reason)"
    case .fileNotFound(let path): "\(path) does not exist"
    case .notRegularFile(let path): "\(path) is not a regular file"
    case .permissionDenied(let path): "permission denied on \(path)"
    case .noSpace(let path): "no space left for \(path)"
    case .linksNotSupported(let path, let message): "no hard link to \(path): \(message)"
    case .fileExists(let path): "\(path) exists already"
    case .restoreAtWork(let processID): "process \(processID) of this host is restoring it"
    case .cutShort(let path, let expected, let received) where received == expected:
      "\(path) was not read to its end: all \(received) bytes arrived, but no word that this is all"
    case .cutShort(let path, let expected, let received):
      "\(path) was cut short: \(received) of \(expected) bytes arrived"
    case .changedWhileReading(let path): "\(path) changed while it was read"
    case .notReplaced(let path): "no process of this host has written \(path) meanwhile"
    case .notWatched(let setting):
      "its file cannot be watched while it is written, since \(setting) is reached"
    case .replacedOften(let path): "\(path) was written several times meanwhile"
    case .io(let path, let message): "\(path): \(message)"
    case .stalled(let what, let seconds): "nothing from \(what) for \(seconds.figure) s"
    case .tooLong(let what, let limit): "\(what) is longer than \(limit) bytes"
    case .incompleteAnswer(let what): "the answer of \(what) is incomplete"
    case .unexpectedAnswer(let what, let message):
      "the answer of \(what) is not understood: \(message)"
    case .commandFailed(let name, let status, let message):
      "\(name) exited with status \(status): \(message)"
    case .noRestartCommand: "no restart command is set"
    case .restartCommandFailed(let status, let output):
      "the restart command exited with status \(status): \(output)"
    case .serverStillRunning(let processID): "server process \(processID) is still running"
    case .podDidNotComeBack(let reason): "the pod did not come back: \(reason)"
    case .serverRuns(let server): "\(server) runs"
    }
  }
}

extension Double {
  /// The number, without a fraction where it has none.
  fileprivate var figure: String {
    Int(exactly: self).map(String.init) ?? "\(self)"
  }
}
