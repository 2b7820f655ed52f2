import FoundationEssentials
import Subprocess
import SystemPackage
import TestSupport

/// A real Sentinel that watches a real server, and looks at it often; from 7.0.
struct Sentinel: Sendable {
  private let server: RealServer
  private let port: Int

  static func watching(
    _ server: RealServer, _ body: @Sendable @escaping (Sentinel) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { directory in
      let sentinel = Sentinel(server: server, port: TestPort.next())
      let file = directory + "/sentinel.conf"
      let lines = """
        port \(sentinel.port)
        bind 127.0.0.1
        dir \(directory)
        logfile \(directory)/log
        sentinel monitor queue 127.0.0.1 \(server.port) 1

        """
      try Data(lines.utf8).write(to: URL(filePath: file))
      _ = try await run(
        .name("setpriv"),
        arguments: ["--pdeathsig", "KILL", server.version.serverPath, file, "--sentinel"],
        input: .none, output: .discarded, error: .discarded
      ) { execution in
        defer { try? execution.send(signal: .kill) }
        try await eventually("the Sentinel answers") {
          do {
            return try await sentinel.cli("SENTINEL", "DEBUG", "info-period", "100") == "OK"
          } catch is RealServer.ClientFailed {
            return false
          }
        }
        try await sentinel.awaitLook()
        try await body(sentinel)
      }
    }
  }

  @discardableResult
  func cli(_ arguments: String...) async throws -> String {
    try await server.cli(["-p", "\(port)"] + arguments)
  }

  /// Waits until it has looked at the server once more.
  func awaitLook() async throws {
    let start = ContinuousClock.now
    try await eventually("the Sentinel has looked") {
      let waited = ContinuousClock.now - start
      let fields = try await cli("SENTINEL", "MASTER", "queue").split(separator: "\n")
      guard let index = fields.firstIndex(of: "info-refresh"), index + 1 < fields.count,
        let age = Int(fields[index + 1])
      else { return false }
      return .milliseconds(age) < waited
    }
  }
}
