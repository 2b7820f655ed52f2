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

      func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(kind, forKey: .kind)
        try container.encode(exitCode, forKey: .exitCode)
        try container.encode(message, forKey: .message)
        try container.encode(cause, forKey: .cause)
        try container.encode(hint, forKey: .hint)
      }
    }

    let schemaVersion = 1
    let error: Fields

    enum CodingKeys: String, CodingKey {
      case error
      case schemaVersion = "schema_version"
    }
  }

  static func print(_ error: BackupError, at place: CommandPlace, asJSON: Bool) {
    Output.error.write(text(error, at: place))
    guard asJSON else { return }
    write(
      Document.Fields(
        kind: error.kind.rawValue, exitCode: ExitStatus(error.kind).rawValue,
        message: error.message, cause: error.cause, hint: place.line(after: error)))
  }

  /// Prints a warning that comes before the run of a command.
  static func print(warning text: String) {
    Output.error.write("\(Tool.name): warning: \(oneLine(text))\n")
  }

  /// Prints one line for a run that a signal ended: who reads the mail of a cron job has not sent it.
  static func print(interruption status: ExitStatus, at place: CommandPlace, asJSON: Bool) {
    let message = "cannot finish: a signal ended this run, and nothing half-done is left"
    Output.error.write("\(Tool.name): \(message)\n")
    guard asJSON else { return }
    write(
      Document.Fields(
        kind: "interrupted", exitCode: status.rawValue, message: message,
        cause: status.meaning, hint: place.line(.again(""))))
  }

  private static func write(_ fields: Document.Fields) {
    do {
      try Output.standard.write(json: Document(error: fields))
    } catch {
      Output.error.write("raibid-backup: cannot print the error as JSON: \(error)\n")
    }
  }

  static func text(_ error: BackupError, at place: CommandPlace) -> String {
    var text = "\(Tool.name): \(oneLine(error.message))\n"
    if let cause = error.cause { text += "cause: \(oneLine(cause))\n" }
    return text + "hint: \(oneLine(place.line(after: error)))\n"
  }

  /// Text that takes one line and cannot move a terminal's cursor: names and answers come from outside.
  private static func oneLine(_ text: String) -> String {
    let line = text.split(whereSeparator: \.isNewline).joined(separator: " | ")
    var shown = String.UnicodeScalarView()
    for scalar in line.unicodeScalars {
      shown.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
    }
    return String(shown)
  }
}

extension Output {
  /// Writes one document.
  func write(json document: some Encodable) throws {
    write(String(decoding: try JSON.encoder().encode(document), as: UTF8.self) + "\n")
  }
}
