import FoundationEssentials
import Glibc

/// A Redis or Valkey program that tests can start.
public struct ServerVersion: Sendable, Hashable {
  /// Such as `redis-7.0`; `redis-system` for the one on `PATH`.
  public let name: String
  /// The path of the server.
  public let serverPath: String
  /// The path of the command-line client that belongs to it.
  public let clientPath: String
  /// Whether it is Valkey.
  public let isValkey: Bool
  /// The first number of its version.
  public let major: Int
  /// The second number of its version.
  public let minor: Int

  /// Whether the version is at least this one.
  public func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
    (self.major, self.minor) >= (major, minor)
  }

  /// All that are there: the one on `PATH` first, then `NAME/bin/redis-server` in the folder that
  /// `RAIBID_TEST_SERVERS` names, by default `/var/cache/raibid-servers`.
  public static let available: [ServerVersion] = installed + cached

  /// The one to use where any will do.
  ///
  /// - Throws: ``NoServer`` when there is none.
  public static var primary: ServerVersion {
    get throws {
      guard let first = available.first else { throw NoServer() }
      return first
    }
  }

  /// No server was found.
  public struct NoServer: Error, CustomStringConvertible {
    /// What to do about it.
    public var description: String {
      "no redis-server on PATH and none in RAIBID_TEST_SERVERS: apt-get install redis-server"
    }
  }

  private static let environment = ProcessInfo.processInfo.environment

  private static var installed: [ServerVersion] {
    let folders = (environment["PATH"] ?? "").split(separator: ":").map(String.init)
    return folders.lazy.compactMap { ServerVersion(name: "redis-system", folder: $0) }
      .prefix(1).map { $0 }
  }

  private static var cached: [ServerVersion] {
    let cache = environment["RAIBID_TEST_SERVERS"] ?? "/var/cache/raibid-servers"
    // A folder that is not there holds none.
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: cache) else { return [] }
    return names.sorted().compactMap { ServerVersion(name: $0, folder: "\(cache)/\($0)/bin") }
  }

  /// Nil where the folder does not hold both programs, or the server does not tell its version.
  private init?(name: String, folder: String) {
    let server = folder + "/redis-server"
    let client = folder + "/redis-cli"
    guard FileManager.default.isExecutableFile(atPath: server),
      FileManager.default.isExecutableFile(atPath: client)
    else { return nil }
    // `Redis server v=7.0.15 sha=…`
    let words = Self.firstLine(of: server).split(separator: " ")
    guard let version = words.first(where: { $0.hasPrefix("v=") }) else { return nil }
    let numbers = version.dropFirst(2).split(separator: ".").compactMap { Int($0) }
    guard numbers.count >= 2 else { return nil }
    self.name = name
    serverPath = server
    clientPath = client
    isValkey = words.first == "Valkey"
    major = numbers[0]
    minor = numbers[1]
  }

  private static func firstLine(of server: String) -> String {
    guard let pipe = unsafe popen("'\(server)' --version", "r") else { return "" }
    defer { unsafe pclose(pipe) }
    var line = [CChar](repeating: 0, count: 512)
    guard unsafe fgets(&line, 512, pipe) != nil else { return "" }
    return String(
      decoding: line.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
  }
}

extension ServerVersion: CustomStringConvertible {
  /// The name.
  public var description: String { name }
}
