import SystemPackage

/// The calls that last: bytes out, bytes in, a port.
extension Kubectl {
  /// The child process of a call that would wait for ever if this process were killed, so that
  /// something in its group ends the group when our end of standard input closes.
  ///
  /// - Parameter destination: Shell words that follow the arguments.
  func dependentChild(
    _ arguments: [String], destination: String = "", limit: WaitLimit
  ) async throws -> ChildProcess {
    let script = """
      exec 4<&0 </dev/null
      (trap '' TERM; read -r _ <&4; kill -s TERM 0; sleep 1; kill -s KILL 0) >/dev/null 2>&1 &
      exec "$0" "$@" \(destination) 4<&-
      """
    return ChildProcess(
      name: name(of: arguments), executable: "/bin/sh",
      arguments: ["-c", script, try await executablePath().string] + globalArguments + arguments,
      limit: limit, input: .pipe)
  }

  /// Runs a command in a container and returns what it said, whatever its exit status.
  func execute(
    _ command: [String], in container: PodContainer, outputLimit: Int = 16 << 20
  ) async throws -> (output: [UInt8], ending: ChildProcess.Ending) {
    let child = try await child(
      execArguments(command, in: container, options: []), limit: .total(timeout))
    return try await child.run { running in
      try await running.remainingOutput(limit: outputLimit, what: child.name)
    }
  }

  /// Runs a command in a container and hands its streams to the body.
  ///
  /// Its standard input ends when this process does, which every command must take as its own end.
  nonisolated(nonsending) func stream<R: Sendable>(
    _ command: [String], in container: PodContainer, stallTimeout: Duration,
    _ body: nonisolated(nonsending) (ChildProcess.Running) async throws -> R
  ) async throws -> (R, ChildProcess.Ending) {
    try await child(
      execArguments(command, in: container, options: ["--stdin"]), input: .pipe,
      limit: .silence(stallTimeout)
    ).run(body)
  }

  /// Copies a file out with `kubectl cp` and hands its bytes to the body as standard output.
  nonisolated(nonsending) func copy<R: Sendable>(
    _ path: String, from container: PodContainer, stallTimeout: Duration,
    _ body: nonisolated(nonsending) (ChildProcess.Running) async throws -> R
  ) async throws -> (R, ChildProcess.Ending) {
    // kubectl's messages go to standard output and would get into the data there, so the data gets
    // a descriptor of its own, which kubectl can open by name: a FIFO without a file to clean up.
    try await dependentChild(
      ["cp", "--container=\(container.container)", "\(namespace)/\(container.pod):\(path)"],
      destination: #""/proc/$$/fd/3" 3>&1 1>&2"#, limit: .silence(stallTimeout)
    ).run(body)
  }

  private func execArguments(
    _ command: [String], in container: PodContainer, options: [String]
  ) -> [String] {
    ["exec"] + options + ["--container=\(container.container)", "pod/\(container.pod)", "--"]
      + command
  }
}
