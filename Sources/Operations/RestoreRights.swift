import RDBFormat
import RedisClient
import Targets

/// Finds out, before anything is changed, whether this user may send what a restore sends late.
///
/// Each command is sent in a form that changes nothing or that the server rejects for its words. It looks
/// at the user's rights before, so that only that answer counts.
struct RestoreRights: Sendable {
  /// An argument that no command takes.
  private static let nonsense = "raibid-backup-may-i"

  let summary: RDBSummary
  /// Whether the server is asked for a dump.
  let saves: Bool
  /// Whether the server is stopped by a command.
  let stops: Bool

  /// - Throws: `RedisError` for the first command that the user may not send, or the server lacks.
  func check(on connection: ServerConnection) async throws {
    try await probe("CONFIG", "SET", Self.nonsense, "0", on: connection)
    if saves { try await probe("BGSAVE", Self.nonsense, on: connection) }
    if stops { try await probe("SHUTDOWN", Self.nonsense, on: connection) }
    if let stream = summary.content.streams.first {
      try await probe("SELECT", "0", on: connection)
      do {
        _ = try await connection.redis.streamState(
          key: stream.key, timeout: connection.replyTimeout)
      } catch RedisError.server(let reply) where Self.isAboutWords(reply) {
        // What the key holds now does not matter.
      }
    }
    _ = try await connection.redis.functionLibraryCount(timeout: connection.replyTimeout)
  }

  private func probe(_ words: String..., on connection: ServerConnection) async throws {
    do {
      _ = try await connection.redis.send(
        words.map { Array($0.utf8) }, timeout: connection.replyTimeout)
    } catch RedisError.server(let reply) where Self.isAboutWords(reply) {
      // The words were rejected, the user was not.
    }
  }

  /// Whether a server that refuses has the command, and the user the right to it.
  private static func isAboutWords(_ reply: RedisServerError) -> Bool {
    reply.code != "NOPERM" && !reply.message.hasPrefix("ERR unknown command")
  }
}
