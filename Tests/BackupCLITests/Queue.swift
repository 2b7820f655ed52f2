import TestSupport

/// The sample data of the tests: the job queue of a small CI platform, and a little of everything else.
enum Queue {
  /// Fills a server.
  static func fill(_ server: RealServer, jobs: Int = 500) async throws {
    let commands = filling(jobs: jobs, hasFunctions: server.version.isAtLeast(7, 0))
    try await server.cli([], input: commands)
  }

  /// The commands that fill a server, one a line.
  static func filling(jobs: Int = 500, hasFunctions: Bool = true) -> String {
    var lines = ["XGROUP CREATE raibid:jobs raibid-workers $ MKSTREAM"]
    for job in 1...jobs { lines.append("XADD raibid:jobs \(job)-1 job_id \(job) branch main") }
    for worker in 1...3 {
      lines.append(
        "XREADGROUP GROUP raibid-workers worker-\(worker) COUNT 20 STREAMS raibid:jobs >")
    }
    lines += [
      "XACK raibid:jobs raibid-workers 1-1 2-1 25-1", "XDEL raibid:jobs 3-1 500-1",
      "XADD other:stream 5-5 a b", "SET plain value", "SET later value EX 3600",
      "RPUSH list a b c", "HSET hash f v", "ZADD zset 1.5 m", "SADD set x y", "SELECT 3",
      "SET elsewhere 1", "XADD far:stream 9-9 k v",
    ]
    if hasFunctions {
      lines.append(
        "FUNCTION LOAD \"#!lua name=lib\\nredis.register_function('f', function() return 1 end)\"")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// All that must be the same after a restore.
  static func picture(_ server: RealServer) async throws -> String {
    try await picture(hasFunctions: server.version.isAtLeast(7, 0)) {
      try await server.cli([], input: $0)
    }
  }

  /// All that must be the same after a restore, as a client prints it that is given commands.
  static func picture(
    hasFunctions: Bool = true, of ask: (_ commands: String) async throws -> String
  ) async throws -> String {
    var commands = ["DBSIZE", "XINFO STREAM raibid:jobs FULL COUNT 0", "GET plain", "GET later"]
    if hasFunctions { commands.append("FUNCTION LIST") }
    commands += ["DEBUG DIGEST", "SELECT 3", "XINFO STREAM far:stream"]
    let text = try await ask(commands.joined(separator: "\n") + "\n")
    // When a consumer was last seen is not data.
    var lines = text.split(separator: "\n").map(String.init)
    for name in ["seen-time", "active-time", "idle"] {
      while let index = lines.firstIndex(where: { $0.hasSuffix(name) }) {
        lines.removeSubrange(index...min(index + 1, lines.count - 1))
      }
    }
    return lines.joined(separator: "\n")
  }

  /// The data after an accident.
  static func wreck(_ server: RealServer) async throws {
    try await server.cli([], input: accident)
  }

  /// The commands of an accident.
  static let accident = "FLUSHALL\nSET oops 1\nXADD raibid:jobs 1-1 wrong job\n"
}
