import RedisClient
import Targets

/// How long each kind of waiting may last.
public struct TimeLimits: Sendable, Equatable {
  /// Until a connection stands.
  public var connect = Duration.seconds(10)
  /// Saving, loading and restarting, while nothing moves.
  public var stall = Duration.seconds(60)
  /// Copying, while no byte arrives.
  public var copyStall = Duration.seconds(15)

  /// The limits of the documentation.
  public init() {}
}

/// A way to one Redis: where it lives and who we are there.
public struct ServerSession: Sendable {
  /// Where it lives.
  public let target: Target
  /// Who we are; nil for a server without passwords.
  public let credentials: RedisCredentials?
  /// How the connection is protected; nil for plain TCP.
  public let tls: TLSOptions?
  /// How long each wait may last.
  public let limits: TimeLimits
  /// What the server told when it was chosen among several; nil where it was named.
  var seen: ServerStatus?
  /// Why the Secret that may hold the password could not be read; nil where it was, or none was needed.
  var secretFault: TargetError?
  /// Chooses anew among the servers that may be meant; nil where one was named.
  var search: (@Sendable () async throws -> ServerSession)?
  private let report: ProgressReport

  /// What is said to the server; nil where that is nothing.
  var login: RestoreLogin? {
    credentials.flatMap { $0.password.isEmpty ? nil : RestoreLogin($0) }
  }

  /// Whether its files are on this host.
  var isLocal: Bool { target.source.target == .local }

  /// Names a way; nothing is opened yet.
  ///
  /// - Parameter report: Takes what the user should know of a connection that works nevertheless.
  public init(
    target: Target, credentials: RedisCredentials?, tls: TLSOptions?, limits: TimeLimits,
    report: @escaping ProgressReport = { _ in }
  ) {
    self.target = target
    self.credentials = credentials
    self.tls = tls
    self.limits = limits
    self.report = report
  }

  /// Opens a connection for the length of a body.
  ///
  /// A server without passwords is used without one, as redis-cli does, with a warning.
  /// - Throws: What the body throws; ``BackupError`` is not thrown here, but `RedisError` and
  ///   `TargetError` are.
  public func withConnection<Result: Sendable>(
    _ body: @escaping @Sendable (ServerConnection) async throws -> Result
  ) async throws -> Result {
    try await target.control.withAddress { address in
      do {
        return try await connect(to: address, credentials, body)
      } catch RedisError.authenticationFailed(let reply)
        where credentials?.username == nil && reply.saysThatThereIsNoPassword
      {
        report(.warning("a password was given, but the server has none: \(reply)"))
        return try await connect(to: address, nil, body)
      }
    }
  }

  /// Opens one more connection, to where another leads and as the same user, for the length of a body.
  func withConnection<Result: Sendable>(
    beside other: ServerConnection, _ body: @Sendable (ServerConnection) async throws -> Result
  ) async throws -> Result {
    try await connect(to: other.address, other.credentials, body)
  }

  private func connect<Result: Sendable>(
    to address: ServerAddress, _ credentials: RedisCredentials?,
    _ body: @Sendable (ServerConnection) async throws -> Result
  ) async throws -> Result {
    try await RedisConnection.withConnection(
      to: RedisAddress(host: address.host, port: address.port), credentials: credentials,
      tls: tls, connectTimeout: limits.connect
    ) { connection in
      try await body(
        ServerConnection(
          redis: connection, address: address, credentials: credentials,
          replyTimeout: limits.stall))
    }
  }
}

extension RedisServerError {
  /// Whether the default user has no password, so that logging in is neither possible nor needed.
  fileprivate var saysThatThereIsNoPassword: Bool {
    code == "ERR" && message.contains("without any password configured")
  }
}

/// A connection whose every command has the same time limit.
public struct ServerConnection: Sendable {
  let redis: RedisConnection
  /// Where it leads.
  fileprivate let address: ServerAddress
  /// As whom it is logged in; nil where that is not needed.
  fileprivate let credentials: RedisCredentials?
  let replyTimeout: Duration

  func status() async throws -> ServerStatus {
    try await redis.status(timeout: replyTimeout)
  }

  func configuration(_ names: String...) async throws -> [String: String] {
    try await redis.configuration(names, timeout: replyTimeout)
  }

  func set(_ name: String, to value: String) async throws {
    try await redis.setConfiguration(name, to: value, timeout: replyTimeout)
  }

  @discardableResult
  func send(_ words: String...) async throws -> RESPValue {
    try await redis.send(words.map { Array($0.utf8) }, timeout: replyTimeout)
  }
}

extension ServerConnection {
  /// What shows whether the server is a process of this host.
  ///
  /// - Parameter directory: Its `dir`.
  func trace(_ status: ServerStatus, directory: String) -> ServerTrace {
    let ends = redis.ends
    return ServerTrace(
      processID: Int(status.processID ?? 0), dataDirectory: directory,
      near: ends.map { ServerAddress(host: $0.near.host, port: $0.near.port) },
      far: ends.map { ServerAddress(host: $0.far.host, port: $0.far.port) })
  }

  /// The names of the modules that the server has loaded.
  func moduleNames() async throws -> [String] {
    let modules = try await send("MODULE", "LIST").array ?? []
    return modules.compactMap { module in
      guard let fields = module.array, let name = fields.firstIndex(where: { $0.text == "name" }),
        fields.indices.contains(name + 1)
      else { return nil }
      return fields[name + 1].text
    }
  }
}

extension Error {
  /// Whether it means that nobody answers, so that trying again later may help.
  var isUnreachable: Bool {
    switch self {
    case let error as RedisError:
      switch error {
      case .cannotConnect, .connectTimedOut, .connectionClosed, .timedOut: true
      default: false
      }
    case let error as TargetError:
      switch error {
      case .podNotRunning, .podNotFound, .clusterUnreachable, .stalled, .commandFailed,
        .incompleteAnswer:
        true
      default: false
      }
    default: false
    }
  }
}
