import TestSupport
import Testing

/// Runs a body with a server that was backed up and whose data was spoilt since.
///
/// - Parameter body: Gets the tool for it, the server, the directory with the backup, and the data of the backup as
///   ``Queue/picture(_:)`` shows it.
func withSpoiltServer(
  _ version: ServerVersion, _ persistence: Persistence, password: String? = nil,
  _ body: (
    _ tool: BackupTool, _ server: RealServer, _ archives: String, _ backup: String
  ) async throws -> Void
) async throws {
  try await withRealServer(
    version, configuration: persistence.configuration, password: password
  ) { server in
    try await withTemporaryDirectory { archives in
      let tool = BackupTool(for: server, archives: archives)
      try await Queue.fill(server)
      let backup = try await Queue.picture(server)
      try #require(try await tool("create").status == 0)
      try await Queue.wreck(server)
      try await body(tool, server, archives, backup)
    }
  }
}
