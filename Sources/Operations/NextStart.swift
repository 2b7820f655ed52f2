import RedisClient
import Targets

/// What the server will be told at its next start, as far as it can be seen: its configuration file with
/// what that includes, and its arguments.
struct NextStart: Sendable, Equatable {
  /// Files larger than this are not read.
  private static let maximumByteCount = 4 << 20
  /// `include` may not nest deeper than this.
  private static let maximumDepth = 8
  private static let names: Set<String> = [
    "appendonly", "dir", "dbfilename", "appendfilename", "appenddirname", "port",
  ]

  /// The last value of each setting that decides which files are loaded, and where it answers; a setting that is not
  /// mentioned has the server's default.
  private(set) var settings: [String: String] = [:]

  /// Whether every file that is included could be read; a setting that is not mentioned is unknown
  /// otherwise.
  private(set) var isComplete = true

  /// Whether who says no password will not be let in. The password itself is not kept.
  var asksForPassword: Bool { hasPassword && !hasUsers }

  /// What a file or directory will be called; nil where that is not said, and not everything is known.
  func name(_ setting: String, usually name: String) -> String? {
    settings[setting] ?? (isComplete ? name : nil)
  }

  private var hasPassword = false
  /// Whether users are named, one of whom may be the default one.
  private var hasUsers = false

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
    start.take(arguments: arguments)
    // Of a port alone nothing follows for the files.
    return named || start.settings.contains { $0.key != "port" } ? start : nil
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
      let name = words[0].lowercased()
      if name == "include" {
        // A relative name or a pattern is the server's to resolve: then not all is known.
        let isPlain = words[1].hasPrefix("/") && !words[1].contains { "*?[".contains($0) }
        let isRead =
          try await isPlain ? take(file: words[1], from: volume, depth: depth + 1) : false
        if !isRead { isComplete = false }
      } else {
        take(name, words[1])
      }
    }
    return true
  }

  private mutating func take(_ name: String, _ value: String) {
    switch name {
    case "requirepass": hasPassword = !value.isEmpty
    case "aclfile", "user": hasUsers = true
    default: if Self.names.contains(name) { settings[name] = value }
    }
  }

  private mutating func take(arguments: [String]) {
    for (option, value) in zip(arguments, arguments.dropFirst()) where option.hasPrefix("--") {
      take(option.dropFirst(2).lowercased(), value)
    }
  }
}
