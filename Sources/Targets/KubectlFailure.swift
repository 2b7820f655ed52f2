import Subprocess
import SystemPackage

/// What kubectl's texts mean; they are those of kubectl 1.20 to 1.33.
extension Kubectl {
  /// Returns the error for a call that ended with another status than 0.
  ///
  /// - Parameters:
  ///   - pod: The pod and container that the call was about, for messages.
  func failure(
    _ ending: ChildProcess.Ending, of name: String, at pod: PodContainer? = nil
  ) -> TargetError {
    let text = ending.standardError
    if let found = placeFailure(text, at: pod) ?? clusterFailure(text) { return found }
    return .commandFailed(name: name, status: ending.status, message: text.trimmed)
  }

  private func placeFailure(_ text: String, at pod: PodContainer?) -> TargetError? {
    if let name = text.between(#"(NotFound): namespaces ""#, "\"") {
      return .namespaceNotFound(namespace: name)
    }
    if let name = text.between(#"(NotFound): pods ""#, "\"") {
      return .podNotFound(namespace: namespace, pod: name)
    }
    if let name = text.between("container ", " is not valid for pod ")
      ?? text.between("container ", " not found in pod ")
    {
      return .containerNotFound(container: name, pod: pod?.pod ?? "", available: [])
    }
    if let name = text.between(#"context ""#, #"" does not exist"#)
      ?? text.between("context was not found for specified context: ", "\n")
    {
      return .contextNotFound(context: name)
    }
    if let name = text.between(#"unable to upgrade connection: container not found (""#, "\"") {
      return .podNotRunning(pod: pod?.pod ?? "", reason: "container \(name) is not there")
    }
    if let tool = text.missingTool {
      return .toolMissingInContainer(name: tool, container: pod?.container ?? "")
    }
    if text.contains("cannot exec into a container in a completed pod") {
      return .podNotRunning(pod: pod?.pod ?? "", reason: "completed")
    }
    if let phase = text.between("pod is not running. Current status=", "\n") {
      return .podNotRunning(pod: pod?.pod ?? "", reason: phase)
    }
    return nil
  }

  private func clusterFailure(_ text: String) -> TargetError? {
    let refusals = [
      "Error from server (Forbidden): ", "error: You must be logged in to the server",
      // What port-forward says has no status in it.
      " is forbidden: User ",
    ]
    for mark in refusals where text.contains(mark) {
      return .forbidden(message: text.line(with: mark).replacing("Error from server ", with: ""))
    }
    let marks = [
      "Unable to connect to the server", "The connection to the server", "dial tcp",
      "(ServiceUnavailable)", "(Timeout)", "TLS handshake timeout", "x509:", "no such host",
    ]
    for mark in marks where text.contains(mark) {
      return .clusterUnreachable(message: text.line(with: mark))
    }
    return nil
  }
}

extension TargetError {
  /// The fact behind a failure to start or to talk to a child process.
  init(_ error: SubprocessError, name: String) {
    let cause = error.underlyingError
    if error.code == .executableNotFound || cause == .noSuchFileOrDirectory {
      self = .toolMissing(name: name)
    } else {
      self = .commandFailed(name: name, status: -1, message: cause?.description ?? "\(error.code)")
    }
  }
}

extension String {
  /// The program that the container runtime did not find.
  var missingTool: String? {
    // runc and crun.
    between(#"exec: ""#, #"": executable file not found"#)
      ?? between("executable file `", "` not found")
  }

  /// The text between the first occurrence of a mark and the next end mark.
  func between(_ mark: String, _ end: String) -> String? {
    guard let start = firstRange(of: mark) else { return nil }
    let rest = self[start.upperBound...]
    guard let stop = rest.firstRange(of: end) else {
      return end == "\n" ? String(rest) : nil
    }
    return String(rest[..<stop.lowerBound])
  }

  /// The first line that contains a mark.
  func line(with mark: String) -> String {
    split(separator: "\n").first { $0.contains(mark) }.map { String($0).trimmed } ?? trimmed
  }
}
