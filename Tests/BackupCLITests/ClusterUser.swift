import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// A user of the program with a home of their own, and the Redis in the cluster that is theirs.
struct ClusterUser: Sendable {
  let redis: ClusterRedis
  let home: String
  var tool: BackupTool

  /// The directory with the archives.
  var archives: String { home + "/archives" }

  init(_ redis: ClusterRedis, home: String) {
    self.redis = redis
    self.home = home
    tool = BackupTool(
      options: ["--namespace", redis.namespace, "--directory", home + "/archives"], home: home)
    tool.environment["KUBECONFIG"] = ClusterRedis.kubeconfig
  }

  /// Runs a body with a Redis that holds the sample data, and a user of it.
  static func with<R: Sendable>(
    _ image: ClusterRedis.Image = .redis70, replacing lines: [String: String] = [:],
    _ body: (ClusterUser) async throws -> R
  ) async throws -> R {
    try await ClusterRedis.with(image, replacing: lines) { redis in
      try await withTemporaryDirectory { home in
        try await redis.fill()
        return try await body(ClusterUser(redis, home: home))
      }
    }
  }

  /// Makes a backup and spoils the data.
  ///
  /// - Returns: The data of the backup, and what was there afterwards.
  func backUpAndWreck() async throws -> (backup: String, wreck: String) {
    let backup = try await redis.picture()
    let created = try await tool("create")
    try #require(created.status == 0, "\(created)")
    try await redis.wreck()
    return (backup, try await redis.picture())
  }

  /// Runs the program and sends it a signal when it tells that a step begins.
  ///
  /// - Parameter condition: What must hold besides.
  func run(
    _ arguments: String..., sending signal: Int32, at step: String,
    when condition: @escaping @Sendable () async throws -> Bool = { true }
  ) async throws -> BackupTool.Outcome {
    try await tool.run(arguments + ["--verbose"]) { processID in
      // A pod may take its time to go and come back.
      try await eventually("\(step) in \(arguments)", within: .seconds(300)) {
        let error = try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
        guard error.split(separator: "\n").contains(where: { $0 == step }) else { return false }
        return try await condition()
      }
      kill(processID, signal)
    }
  }

  /// What a run has left behind: processes, unfinished archives, files on the volume.
  func leftovers() async throws -> [String] {
    try await unfinished() + redis.strangers()
  }

  /// What a run has left behind on this host.
  func unfinished() throws -> [String] {
    var found = try processes()
    if FileManager.default.fileExists(atPath: archives) {
      found += try FileManager.default.contentsOfDirectory(atPath: archives)
        .filter { $0.hasSuffix(".part") }
    }
    return found
  }

  /// The command lines of processes that a run of the program has started: they have its home.
  func processes() throws -> [String] {
    let mark = Array("HOME=\(home)".utf8)
    return try FileManager.default.contentsOfDirectory(atPath: "/proc").compactMap { name in
      guard let processID = Int32(name), processID != getpid(),
        let environment = FileManager.default.contents(atPath: "/proc/\(name)/environ"),
        environment.split(separator: 0).contains(where: { $0.elementsEqual(mark) }),
        let command = FileManager.default.contents(atPath: "/proc/\(name)/cmdline")
      else { return nil }
      return command.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        .joined(separator: " ")
    }
  }

  /// The archives, without the lock and the log.
  func archiveFiles() throws -> [String] {
    guard FileManager.default.fileExists(atPath: archives) else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: archives)
      .filter { $0.hasPrefix("redis-dump-") }.sorted()
  }
}
