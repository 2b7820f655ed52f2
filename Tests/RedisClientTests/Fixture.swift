import FoundationEssentials

/// The text of a file beside the tests.
func fixture(_ name: String, of test: String = #filePath) throws -> String {
  let folder = URL(filePath: test).deletingLastPathComponent()
  return try String(
    contentsOfFile: folder.appending(path: "Fixtures/\(name)").path, encoding: .utf8)
}
