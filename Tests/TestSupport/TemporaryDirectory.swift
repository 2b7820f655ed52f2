import FoundationEssentials

/// Runs a body with the path of an empty directory of mode 0700, which is removed afterwards with
/// all that is in it.
///
/// - Throws: What the body throws, or why the directory could not be made or removed.
@discardableResult
public func withTemporaryDirectory<Result: Sendable>(
  isolation: isolated (any Actor)? = #isolation,
  _ body: (_ path: String) async throws -> Result
) async throws -> Result {
  let parent = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
  let path = parent + "/raibid-test-" + UUID().uuidString.lowercased()
  try FileManager.default.createDirectory(
    atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  do {
    let result = try await body(path)
    try FileManager.default.removeItem(atPath: path)
    return result
  } catch {
    // The first failure is the one to report.
    do { try FileManager.default.removeItem(atPath: path) } catch {}
    throw error
  }
}
