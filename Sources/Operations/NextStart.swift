import Crypto
import RedisClient
import Targets

/// What the server will be told at its next start, as far as it can be seen: its configuration file with
/// what that includes, and its arguments.
struct NextStart: Sendable, Equatable {
  /// Files larger than this are not read.
  private static let maximumByteCount = 4 << 20
  /// `include` may not nest deeper than this.
  private static let maximumDepth = 8
  /// The settings that decide which files are loaded.
  private static let fileNames: Set<String> = [
    "appendonly", "dir", "dbfilename", "appendfilename", "appenddirname",
  ]
  private static let names = fileNames.union(["port", "databases", "maxmemory", "maxmemory-policy"])

  /// The last value of each setting that decides which files are loaded, where it answers, and what it
  /// holds; a setting that is not mentioned has the server's default.
  private(set) var settings: [String: String] = [:]

  /// When it will save by itself, as `CONFIG GET save` says it; nil where that is not mentioned.
  private(set) var save: String?

  /// The master that it will follow, as host and port; nil for none.
  private var master: String?

  /// Whether every file that is included could be read; a setting that is not mentioned is unknown
  /// otherwise.
  private(set) var isComplete = true

  /// What a file or directory will be called; nil where that is not said, and not everything is known.
  func name(_ setting: String, usually name: String) -> String? {
    settings[setting] ?? (isComplete ? name : nil)
  }

  /// The SHA-256 of the password that the default user must say; empty where the server is yet to be told it, nil for
  /// none. The password itself is not kept.
  private var passwordDigest: String?
  /// The users that are named, one of whom may be the default one.
  private var users: Set<String> = []
  /// Whether there is a file with more of them.
  private var hasUserFile = false

  init(settings: [String: String]) {
    self.settings = settings
  }

  /// Reads the configuration.
  ///
  /// - Parameters:
  ///   - file: The path that the server was started with; empty when there was none.
  ///   - arguments: The words after it, where they can be seen.
  /// - Returns: Nil when nothing can be seen.
  static func read(
    file: String, arguments: [String], from volume: any DataVolume
  ) async throws -> NextStart? {
    var start = NextStart(settings: [:])
    let named = try await file.isEmpty ? false : start.take(file: file, from: volume, depth: 0)
    try await start.take(arguments: arguments, from: volume)
    // Of a port alone nothing follows for the files.
    return named || start.settings.keys.contains(where: fileNames.contains) ? start : nil
  }

  /// Reads the configuration of a server that runs.
  ///
  /// - Returns: Nil when nothing can be seen.
  static func read(
    of status: ServerStatus, _ settings: ServerSettings, startedWith arguments: [String],
    from volume: any DataVolume
  ) async throws -> NextStart? {
    try await read(file: status.configFile ?? "", arguments: arguments, from: volume)?
      .naming(settings.directory, on: volume)
  }

  /// The same, with the name of the directory that the running server gives it, where that is the same one: a
  /// server says where a link leads.
  private func naming(
    _ directory: String, on volume: any DataVolume
  ) async throws -> NextStart {
    guard let named = settings["dir"], named.hasPrefix("/"), named != directory,
      try await volume.isOneDirectory(named, directory)
    else { return self }
    var start = self
    start.settings["dir"] = directory
    return start
  }

  /// Reads the configuration that the words name with which a server is started.
  ///
  /// - Returns: Nil when nothing can be seen.
  static func read(
    _ words: [String], from volume: any DataVolume
  ) async throws -> NextStart? {
    let file = words.prefix { !$0.hasPrefix("--") }.last {
      $0.hasPrefix("/") && $0.hasSuffix(".conf")
    }
    return try await read(file: file ?? "", arguments: words, from: volume)
  }

  /// - Returns: Whether the file could be read.
  private mutating func take(
    file: String, from volume: any DataVolume, depth: Int
  ) async throws -> Bool {
    guard depth < Self.maximumDepth else { return false }
    let bytes: [UInt8]?
    do {
      bytes = try await volume.contents(of: file, limit: Self.maximumByteCount)
    } catch TargetError.permissionDenied {
      return false
    }
    guard let bytes else { return false }
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      guard !line.drop(while: \.isWhitespace).hasPrefix("#"),
        let words = ConfigurationLine.words(in: line), words.count >= 2
      else { continue }
      try await take(words[0], words.dropFirst(), from: volume, depth: depth)
    }
    return true
  }

  private mutating func take(
    _ name: String, _ values: ArraySlice<String>, from volume: any DataVolume, depth: Int
  ) async throws {
    guard let file = values.first, name.lowercased() == "include" else {
      return take(name.lowercased(), values)
    }
    // A relative name or a pattern is the server's to resolve: then not all is known.
    let isPlain = file.hasPrefix("/") && !file.contains { "*?[".contains($0) }
    let isRead = try await isPlain ? take(file: file, from: volume, depth: depth + 1) : false
    if !isRead { isComplete = false }
  }

  private mutating func take(_ name: String, _ values: ArraySlice<String>) {
    guard let value = values.first else { return }
    switch name {
    case "requirepass":
      // A shell or the kubelet may yet put something in place of a variable.
      passwordDigest =
        value.isEmpty ? nil : value.contains("$") ? "" : RestoreLogin.digest(Array(value.utf8))
    case "aclfile": hasUserFile = true
    case "user": users.insert(value)
    case "replicaof", "slaveof":
      master = value.lowercased() == "no" ? nil : values.joined(separator: " ")
    // Each line adds to those before, but for an empty one, which takes them back.
    case "save":
      save =
        value.isEmpty
        ? "" : ((save.map { [$0] } ?? []) + values).filter { !$0.isEmpty }.joined(separator: " ")
    default: if Self.names.contains(name) { settings[name] = value }
    }
  }

  private mutating func take(
    arguments: [String], from volume: any DataVolume
  ) async throws {
    var rest = arguments.drop { !$0.hasPrefix("--") }
    while let option = rest.popFirst() {
      let values = rest.prefix { !$0.hasPrefix("--") }
      try await take(String(option.dropFirst(2)), values, from: volume, depth: 0)
      rest = rest.dropFirst(values.count)
    }
  }
}

/// With what a restore logs in.
struct RestoreLogin: Sendable, Equatable {
  /// Nil for the default user.
  let user: String?
  /// The SHA-256 of the password.
  let passwordDigest: String

  init(_ credentials: RedisCredentials) {
    user = credentials.username == "default" ? nil : credentials.username
    passwordDigest = Self.digest(credentials.password)
  }

  static func digest(_ password: [UInt8]) -> String { SHA256.hash(data: password).hexadecimal }
}

extension NextStart {
  /// Refuses a next start as a replica, and one that will not let a login in: what is served then is not the
  /// backup's data, or could not be looked at.
  ///
  /// - Parameter login: Nil where nothing is said.
  func admit(_ login: RestoreLogin?) throws(RestoreRefusal) {
    if let master { throw .nextStartFollows(master) }
    if let user = login?.user {
      guard !isComplete || hasUserFile || users.contains(user) else {
        throw .nextStartLacksUser(user)
      }
    } else if let passwordDigest, users.isEmpty, !hasUserFile {
      guard let login else { throw .nextStartAsksForPassword }
      guard passwordDigest.isEmpty || passwordDigest == login.passwordDigest else {
        throw .nextStartHasOtherPassword
      }
    }
  }

  /// The memory that its data may take in bytes, 0 for any; nil where that is not known.
  var maxMemory: Int64? {
    name("maxmemory", usually: "0").flatMap(Self.byteCount(ofMemory:))
  }

  /// What it does where the data takes more; nil where that is not known.
  var maxMemoryPolicy: String? { name("maxmemory-policy", usually: "noeviction") }

  /// A size as `redis.conf` has it: 1k is 1000 bytes, 1kb is 1024.
  private static func byteCount(ofMemory text: String) -> Int64? {
    let unit = text.drop { $0.isASCII && $0.isNumber }
    let factors: [String: Int64] = [
      "": 1, "b": 1, "k": 1000, "kb": 1 << 10, "m": 1_000_000, "mb": 1 << 20, "g": 1_000_000_000,
      "gb": 1 << 30,
    ]
    guard let count = Int64(text.prefix(text.count - unit.count)),
      let factor = factors[unit.lowercased()]
    else { return nil }
    let (byteCount, overflows) = count.multipliedReportingOverflow(by: factor)
    return overflows ? nil : byteCount
  }
}
