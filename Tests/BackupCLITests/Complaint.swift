import FoundationEssentials
import Testing

/// An error as the user reads it, in both forms that it is printed in.
struct Complaint {
  /// The exit code.
  let status: Int32
  /// The word for it.
  let kind: String
  /// What follows `raibid-backup: `.
  let message: String
  /// What follows `cause: `; nil for no such line.
  var cause: String?
  /// What follows `hint: `; `AGAIN` stands for the command line of the run.
  let hint: String
  /// What is warned of before it, without `raibid-backup: warning: `.
  var warning: String?

  /// Runs a command twice, with and without `--json`, and compares all that it prints.
  func expect(
    of tool: BackupTool, _ arguments: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) async throws {
    let plain = try await tool.run(arguments)
    #expect(plain.status == status, "\(plain)", sourceLocation: sourceLocation)
    #expect(plain.output == "", sourceLocation: sourceLocation)
    #expect(plain.error == text(arguments + tool.options), sourceLocation: sourceLocation)

    let words = [arguments[0], "--json"] + arguments.dropFirst()
    let json = try await tool.run(words)
    #expect(json.status == status, "\(json)", sourceLocation: sourceLocation)
    #expect(json.error == text(words + tool.options), sourceLocation: sourceLocation)
    #expect(
      try json.json(Document.self)
        == Document(
          schema_version: 1,
          error: Document.Fields(
            kind: kind, exit_code: status, message: message, cause: cause,
            hint: hint(words + tool.options))),
      "\(json)", sourceLocation: sourceLocation)
  }

  private func text(_ words: [String]) -> String {
    (warning.map { "raibid-backup: warning: \($0)\n" } ?? "")
      + "raibid-backup: \(message)\n" + (cause.map { "cause: \($0)\n" } ?? "")
      + "hint: \(hint(words))\n"
  }

  private func hint(_ words: [String]) -> String {
    guard hint.hasPrefix("AGAIN") else { return hint }
    return "raibid-backup " + words.joined(separator: " ") + hint.dropFirst("AGAIN".count)
  }

  private struct Document: Decodable, Equatable {
    struct Fields: Decodable, Equatable {
      let kind: String
      let exit_code: Int32
      let message: String
      let cause: String?
      let hint: String
    }

    let schema_version: Int
    let error: Fields
  }
}

/// The names in a directory, without the lock file.
func names(in directory: String) throws -> [String] {
  try FileManager.default.contentsOfDirectory(atPath: directory)
    .filter { $0 != ".raibid-backup.lock" }.sorted()
}
