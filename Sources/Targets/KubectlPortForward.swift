import Subprocess

extension Kubectl {
  /// Runs a body while a port of a pod is reachable at an address of this host.
  ///
  /// When the pod goes, connections break and the address is dead; call this again for the new pod.
  ///
  /// - Throws: ``TargetError`` when the forward does not open within the timeout of this kubectl;
  ///   what `body` throws.
  public nonisolated(nonsending) func withPortForward<R: Sendable>(
    to pod: String, port: Int, _ body: nonisolated(nonsending) (ServerAddress) async throws -> R
  ) async throws -> R {
    let child = try await dependentChild(
      ["port-forward", "--address=127.0.0.1", "pod/\(pod)", ":\(port)"],
      limit: .silence(timeout))
    let (result, ending) = try await child.run { running -> R? in
      try await withThrowingTaskGroup(of: Void.self) { group in
        let (ports, found) = AsyncStream<Int>.makeStream()
        let output = running.output
        // Read to the end: a full pipe would block kubectl, which reports each connection.
        group.addTask {
          defer { found.finish() }
          var text: String? = ""
          for try await buffer in output {
            text? += String(decoding: buffer.array, as: UTF8.self)
            guard let port = text.flatMap(Self.forwardedPort) else { continue }
            found.yield(port)
            text = nil
          }
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else {
          try Task.checkCancellation()
          return nil
        }
        let result = try await running.whileWaiting {
          try await body(ServerAddress(host: "127.0.0.1", port: port))
        }
        running.isOver = true
        group.cancelAll()
        return result
      }
    }
    guard let result else {
      throw failure(ending, of: child.name, at: PodContainer(pod: pod, container: ""))
    }
    return result
  }

  /// The port in `Forwarding from 127.0.0.1:40123 -> 6379`.
  static func forwardedPort(in text: String) -> Int? {
    guard let port = text.between("Forwarding from 127.0.0.1:", " -> ").flatMap(Int.init),
      (1...65535).contains(port)
    else { return nil }
    return port
  }
}
