extension LocalServer {
  /// Returns whether nothing listens and no server works in the directory.
  public func outage(dataDirectory: String?, timeout: Duration) async throws -> ServerOutage? {
    guard let dataDirectory, try runningServer(in: dataDirectory) == nil else { return nil }
    return .notRunning(directory: dataDirectory)
  }

  /// Returns which processes of this host cannot be looked at: one of them may be a server in that directory.
  public func obstaclesToHolding(dataDirectory: String?) async throws -> [RestoreObstacle] {
    guard address.isOfThisHost else { return [.otherHost(name: address.host)] }
    guard !ServerProcess.othersAreHidden else {
      return [
        .notChecked(message: "processes of others are hidden from this user (hidepid of /proc)")
      ]
    }
    guard let dataDirectory else { return [] }
    return try ServerProcess.servers(inDirectory: dataDirectory).unseen.map {
      .notChecked(message: "process \($0) belongs to another user")
    }
  }

  /// Stops the server where it runs; nothing on this host can keep others from starting one, so that
  /// ``confirmHold(dataDirectory:)`` looks again.
  public func hold(
    dataDirectory: String?, stopping server: RunningServer?, timeout: Duration
  ) async throws -> HeldFiles {
    guard let dataDirectory else { throw TargetError.fileNotFound(path: "data directory") }
    if let server { try await end(server, timeout: timeout) }
    try await confirmHold(dataDirectory: dataDirectory)
    return HeldFiles(volume: LocalVolume(), directories: [dataDirectory])
  }

  /// Looks whether a server works in the directory or answers in its place.
  public func confirmHold(dataDirectory: String) async throws {
    if let server = try runningServer(in: dataDirectory) { throw TargetError.serverRuns(server) }
  }

  /// Does nothing: what starts the server is the restart command.
  public func release(startsServer: Bool, timeout: Duration) async throws {}

  private func runningServer(in directory: String) throws -> String? {
    let servers = try ServerProcess.servers(inDirectory: directory)
    if let id = servers.found.first { return "server process \(id) in \(directory)" }
    if let id = servers.unseen.first { return "server process \(id) of another user" }
    return address.isListening ? "a server at \(address.host):\(address.port)" : nil
  }
}
