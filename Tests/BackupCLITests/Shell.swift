import Subprocess
import TestSupport
import Testing

/// Runs a command of the shell, which must succeed.
func shell(_ command: String) async throws {
  let result = try await run(
    .name("sh"), arguments: ["-c", command], output: .string(limit: 4096),
    error: .combinedWithOutput)
  try #require(result.terminationStatus.isSuccess, "\(result.standardOutput)")
}
