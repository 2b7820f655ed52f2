import FoundationEssentials
import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A real server on 127.0.0.1 with its own directory, for the length of a body.
///
/// ```swift
/// try await withRealServer(.primary, configuration: ["appendonly yes"]) { server in
///   try await server.cli("SET", "key", "value")
/// }
/// ```
public final class RealServer: Sendable {
  /// What runs.
  public let version: ServerVersion
  /// Where it listens, without TLS.
  public let port: Int
  /// Its directory: configuration, log, process id, data.
  public let directory: String
  /// The password of the default user.
  public let password: String?

  private let child = Mutex(Child())

  private struct Child: Sendable {
    var processID: Int32?
    var exit: Task<TerminationStatus, any Error>?
    var hasExited = false
  }

  init(version: ServerVersion, port: Int, directory: String, password: String?) {
    self.version = version
    self.port = port
    self.directory = directory
    self.password = password
  }

  /// The file that the server was started with; `redis-server FILE` starts it again.
  public var configurationFile: String { directory + "/redis.conf" }

  /// The log of the server, all starts together.
  public var log: String {
    get throws { try String(contentsOfFile: directory + "/redis.log", encoding: .utf8) }
  }

  /// A command for a shell that starts the server again, detached, from the same configuration.
  public var startCommand: String {
    "'\(version.serverPath)' '\(configurationFile)' --daemonize yes"
  }

  /// The process that serves, also one that somebody else has started from this directory; nil when
  /// there is none.
  public var processID: Int32? {
    let file = directory + "/redis.pid"
    // Written by the server when it starts, removed when it stops.
    guard let text = try? String(contentsOfFile: file, encoding: .utf8),
      let processID = Int32(text.prefix { $0.isNumber })
    else { return nil }
    return processes().contains(processID) ? processID : nil
  }

  /// Another server on this host, which somebody else has started and ends, to send it commands.
  public func beside(port: Int) -> RealServer {
    RealServer(version: version, port: port, directory: directory, password: nil)
  }

  /// Runs the client and returns what it prints, without the last line end. An error reply is
  /// printed like any other.
  ///
  /// - Parameters:
  ///   - arguments: Options of the client, then the command.
  ///   - input: What the client reads, such as commands, one a line.
  /// - Throws: ``ClientFailed`` when the client exits with another status than 0.
  @discardableResult
  public func cli(_ arguments: [String], input: String = "") async throws -> String {
    let result = try await run(
      .path(FilePath(version.clientPath)),
      arguments: Arguments(["-h", "127.0.0.1", "-p", "\(port)"] + arguments),
      // In the environment, so that it is in no argument list.
      environment: .inherit.updating(["REDISCLI_AUTH": password, "VALKEYCLI_AUTH": password]),
      input: .string(input), output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
      throw ClientFailed(message: result.standardOutput + result.standardError)
    }
    let output = result.standardOutput
    return output.hasSuffix("\n") ? String(output.dropLast()) : output
  }

  /// Runs the client and returns what it prints, as ``cli(_:input:)-([String],_)``.
  @discardableResult
  public func cli(_ arguments: String..., input: String = "") async throws -> String {
    try await cli(arguments, input: input)
  }

  /// Sends a signal to the server, not to a child of it, and waits until it is gone; does nothing
  /// when no server runs.
  public func stop(signal: Int32 = SIGTERM) async throws {
    let child = child.withLock { $0 }
    guard let processID = processID ?? (child.hasExited ? nil : child.processID) else { return }
    kill(processID, signal)
    if processID == child.processID, let exit = child.exit { _ = try await exit.value }
    // Only our own child can be awaited.
    while processes().contains(processID) { try await Task.sleep(for: .milliseconds(5)) }
  }

  /// Starts the server and waits until it answers.
  ///
  /// - Parameter waitUntilLoaded: Whether to wait until it has also read its data.
  /// - Throws: ``DidNotStart`` with what the server wrote.
  public func start(waitUntilLoaded: Bool = true) async throws {
    let processID = try await launch()
    let deadline = ContinuousClock.now + .seconds(60)
    while try await !answers(processID, waitUntilLoaded: waitUntilLoaded) {
      guard !child.withLock({ $0.hasExited }), ContinuousClock.now < deadline else {
        throw DidNotStart(version: version, output: output)
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Stops the server as a shell or Kubernetes would, and starts it again.
  public func restart(waitUntilLoaded: Bool = true) async throws {
    try await stop()
    try await start(waitUntilLoaded: waitUntilLoaded)
  }
}

extension RealServer {
  /// The client exited with an error.
  public struct ClientFailed: Error, CustomStringConvertible {
    /// What it printed.
    public let message: String
    /// What it printed.
    public var description: String { "redis-cli failed: \(message)" }
  }

  /// The server exited, or did not answer in time.
  public struct DidNotStart: Error, CustomStringConvertible {
    /// What was started.
    public let version: ServerVersion
    /// What it wrote, to its log and otherwise.
    public let output: String
    /// What it wrote.
    public var description: String { "\(version) did not start: \(output)" }
  }

  private var output: String {
    ["redis.out", "redis.log"]
      .compactMap { FileManager.default.contents(atPath: directory + "/" + $0) }
      .map { String(decoding: $0, as: UTF8.self) }
      .joined()
  }

  /// Ends every process of this server at once, its children too, and one that somebody else started.
  func end() async throws {
    let child = child.withLock { $0 }
    // While it starts it does not show its directory yet.
    if !child.hasExited, let group = child.processID { kill(-group, SIGKILL) }
    if let exit = child.exit { _ = try await exit.value }
    var left = processes()
    while !left.isEmpty {
      for processID in left { kill(processID, SIGKILL) }
      try await Task.sleep(for: .milliseconds(5))
      left = processes()
    }
  }

  /// Starts the program and returns its process.
  private func launch() async throws -> Int32 {
    let output = try FileDescriptor.open(
      FilePath(directory + "/redis.out"), .writeOnly, options: [.create, .append],
      permissions: .ownerReadWrite)
    var options = PlatformOptions()
    options.processGroupID = 0
    let configuration = Configuration(
      // A test process that crashes must not leave servers behind.
      executable: .name("setpriv"),
      arguments: ["--pdeathsig", "KILL", version.serverPath, configurationFile],
      platformOptions: options)
    child.withLock { $0 = Child() }
    let (started, starting) = AsyncStream<Int32>.makeStream()
    let exit = Task { [self] in
      defer {
        child.withLock { $0.hasExited = true }
        starting.finish()
      }
      return try await run(
        configuration, input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: true),
        error: .combinedWithOutput
      ) { execution in
        starting.yield(execution.processIdentifier.value)
      }.terminationStatus
    }
    var processIDs = started.makeAsyncIterator()
    guard let processID = await processIDs.next() else {
      _ = try await exit.value
      throw DidNotStart(version: version, output: self.output)
    }
    child.withLock {
      $0.processID = processID
      $0.exit = exit
    }
    return processID
  }

  private func answers(_ processID: Int32, waitUntilLoaded: Bool) async throws -> Bool {
    let reply: String
    do {
      reply = try await cli("INFO")
    } catch is ClientFailed {
      return false
    }
    if reply.hasPrefix("NOAUTH") || reply.hasPrefix("NOPERM") { return true }
    // Another server on this port must not be taken for ours.
    return reply.contains("process_id:\(processID)\r\n")
      && (reply.contains("loading:0\r\n") || !waitUntilLoaded)
  }

  /// The processes whose directory this is and whose command line names the port or the
  /// configuration: Redis shows `redis-server 127.0.0.1:PORT`.
  private func processes() -> [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { processID in
      // Processes come and go while they are listed.
      let process = "/proc/\(processID)"
      let path = try? FileManager.default.destinationOfSymbolicLink(atPath: process + "/cwd")
      guard path == directory,
        let line = FileManager.default.contents(atPath: process + "/cmdline")
      else { return false }
      let command = String(decoding: line, as: UTF8.self)
      return command.contains(":\(port)") || command.contains(configurationFile)
    }
  }
}
