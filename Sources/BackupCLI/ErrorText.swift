import ArchiveStore
import FoundationEssentials
import Operations

/// How an error is printed: text on the error stream, and with `--json` one document on the other.
enum ErrorText {
  private struct Document: Encodable {
    struct Fields: Encodable {
      let kind: String
      let exitCode: Int32
      let message: String
      let cause: String?
      let hint: String

      enum CodingKeys: String, CodingKey {
        case kind, message, cause, hint
        case exitCode = "exit_code"
      }
    }

    let schemaVersion = 1
    let error: Fields

    enum CodingKeys: String, CodingKey {
      case error
      case schemaVersion = "schema_version"
    }
  }

  static func print(_ error: BackupError, asJSON: Bool) {
    Output.error.write(text(error))
    guard asJSON else { return }
    let fields = Document.Fields(
      kind: error.kind.rawValue, exitCode: ExitStatus(error.kind).rawValue,
      message: error.message, cause: error.cause, hint: error.hint)
    do {
      try Output.standard.write(json: Document(error: fields))
    } catch {
      Output.error.write("raibid-backup: cannot print the error as JSON: \(error)\n")
    }
  }

  static func text(_ error: BackupError) -> String {
    var text = "\(Tool.name): \(error.message)\n"
    if let cause = error.cause { text += "cause: \(oneLine(cause))\n" }
    return text + "hint: \(error.hint)\n"
  }

  private static func oneLine(_ text: String) -> String {
    text.split(whereSeparator: \.isNewline).joined(separator: " | ")
  }
}

extension Output {
  /// Writes one document.
  func write(json document: some Encodable) throws {
    write(String(decoding: try JSON.encoder().encode(document), as: UTF8.self) + "\n")
  }
}
