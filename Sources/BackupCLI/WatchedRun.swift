import ArchiveStore
import Operations
import RDBFormat

/// How a run ended, in the words that commands and monitors get.
struct WatchedRun {
  let ending: RunWatch.Ending

  /// The facts, each in a variable that no option has; empty where it does not apply.
  private static let names = [
    "EXIT_CODE", "KIND", "MESSAGE", "CAUSE", "HINT", "ARCHIVE", "KEY_COUNT", "RDB_BYTES",
    "ARCHIVE_BYTES", "SECONDS", "REDIS",
  ]
  private static let maximumTextCount = 8192

  /// The variables of the facts; a command that gets them may be this program again.
  static let variables = Set(names.map(Environment.variable))

  init(
    _ outcome: Result<CreateBackup.Result, any Error>, place: CommandPlace, seconds: Int64
  ) {
    var facts = Self.names.reduce(into: [:]) { $0[$1] = "" }
    facts["SECONDS"] = "\(seconds)"
    facts["REDIS"] = place.settings?.identity ?? ""
    facts["EXIT_CODE"] = "\(ExitStatus(outcome).rawValue)"
    let text: String
    switch outcome {
    case .success(let result):
      let manifest = result.manifest
      facts["ARCHIVE"] = result.path
      facts["KEY_COUNT"] = "\(manifest.content.keys)"
      facts["RDB_BYTES"] = "\(manifest.rdb.bytes)"
      facts["ARCHIVE_BYTES"] = "\(manifest.archive.bytes)"
      text = CreateText.line(result)
    case .failure(let error):
      if let error = error as? BackupError ?? Self.unexpected(error) {
        facts["KIND"] = error.kind.rawValue
        facts["MESSAGE"] = error.message
        facts["CAUSE"] = error.cause ?? ""
        facts["ARCHIVE"] = error.archive ?? ""
        facts["HINT"] = place.line(error.next)
        text = ErrorText.text(error, at: place)
      } else {
        facts["KIND"] = "interrupted"
        text = ExitStatus(error: error).meaning
        facts["MESSAGE"] = text
      }
    }
    ending = RunWatch.Ending(
      isSuccess: ExitStatus(outcome) == .done,
      facts: facts.reduce(into: [:]) { facts, fact in
        // A NUL would end the value.
        facts[Environment.variable(fact.key)] = String(
          fact.value.prefix(Self.maximumTextCount).map { $0 == "\0" ? " " : $0 })
      }, text: String(text.prefix(Self.maximumTextCount)))
  }

  private static func unexpected(_ error: any Error) -> BackupError? {
    error is CancellationError || error is ExitStatus ? nil : .unexpected(error)
  }
}
