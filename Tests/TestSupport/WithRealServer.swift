import FoundationEssentials

/// Runs a body with a real server, which is ended afterwards, however the body ends.
///
/// - Parameters:
///   - version: What to start.
///   - configuration: Lines for its configuration file, after those that this function writes.
///   - password: The password of the default user; nil for none.
///   - directory: Its directory, which must exist and is left there; nil for one of its own.
///   - waitUntilLoaded: Whether the body begins only when the server has read its data.
/// - Throws: ``RealServer/DidNotStart``, or what the body throws.
@discardableResult
public func withRealServer<Result: Sendable>(
  _ version: ServerVersion, configuration: [String] = [], password: String? = nil,
  directory: String? = nil, waitUntilLoaded: Bool = true,
  isolation: isolated (any Actor)? = #isolation,
  _ body: (RealServer) async throws -> Result
) async throws -> Result {
  guard let directory else {
    return try await withTemporaryDirectory { path in
      try await withRealServer(
        version, configuration: configuration, password: password, directory: path,
        waitUntilLoaded: waitUntilLoaded, body)
    }
  }
  let server = try await started(
    version, configuration: configuration, password: password,
    // The kernel shows directories without symbolic links.
    directory: URL(filePath: directory).resolvingSymlinksInPath().path,
    waitUntilLoaded: waitUntilLoaded)
  do {
    let result = try await body(server)
    try await server.end()
    return result
  } catch {
    try await server.end()
    throw error
  }
}

private func started(
  _ version: ServerVersion, configuration: [String], password: String?, directory: String,
  waitUntilLoaded: Bool
) async throws -> RealServer {
  var attempts = 0
  while true {
    attempts += 1
    let server = RealServer(
      version: version, port: TestPort.next(), directory: directory, password: password)
    let lines = server.baseConfiguration + configuration
    try Data((lines.joined(separator: "\n") + "\n").utf8)
      .write(to: URL(filePath: server.configurationFile))
    do {
      try await server.start(waitUntilLoaded: waitUntilLoaded)
      return server
    } catch let error as RealServer.DidNotStart
      where error.output.contains("in use") && attempts < 10
    {
      try FileManager.default.removeItem(atPath: directory + "/redis.log")
    } catch {
      try await server.end()
      throw error
    }
  }
}

extension RealServer {
  fileprivate var baseConfiguration: [String] {
    var lines = [
      "port \(port)", "bind 127.0.0.1", "daemonize no",
      "dir \(Self.quoted(directory))",
      "logfile \(Self.quoted(directory + "/redis.log"))",
      "pidfile \(Self.quoted(directory + "/redis.pid"))",
    ]
    if version.isAtLeast(7, 0) { lines.append("enable-debug-command local") }
    if let password { lines.append("requirepass \(Self.quoted(password))") }
    return lines
  }

  /// A word of a configuration file: any bytes.
  private static func quoted(_ text: String) -> String {
    let escaped = text.utf8.map { byte in
      let digits = String(byte, radix: 16)
      return "\\x" + (digits.count == 1 ? "0" + digits : digits)
    }
    return "\"" + escaped.joined() + "\""
  }
}
