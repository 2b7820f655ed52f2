import Files

// Every sentence that a person may read when something does not work stands in the files named
// BackupError+…. Grammar: "cannot VERB OBJECT: FACT", lower-case, no full stop; the hint is a command.

extension BackupError {
  /// A command line that cannot be parsed.
  ///
  /// - Parameter command: The words of the command that it is about, where it names one.
  public static func commandLine(_ fact: String, command: [String]) -> BackupError {
    BackupError(
      .usage, "cannot read the command line: \(clause(fact))",
      hint: .shell(
        "raibid-backup "
          + (command.isEmpty ? "--help" : "help \(command.joined(separator: " "))")))
  }

  /// A sentence of the parser as a part of one of ours.
  private static func clause(_ sentence: String) -> String {
    let prefix = "Error: "
    var text = sentence.hasPrefix(prefix) ? String(sentence.dropFirst(prefix.count)) : sentence
    text = text.prefix(1).lowercased() + text.dropFirst()
    if text.hasSuffix(".") { text.removeLast() }
    return text
  }

  /// What the parser says of a value, without the option that it would have been typed with.
  private static func withoutOption(_ sentence: String) -> String {
    let text = clause(sentence)
    guard text.hasPrefix("--"), let colon = text.firstRange(of: ": ") else { return text }
    return String(text[colon.upperBound...])
  }

  /// A value that an option, a variable or a setting cannot have.
  public static func badValue(_ option: String, _ value: String, expected: String) -> BackupError {
    BackupError(
      .usage, "cannot use \(option): \"\(value)\" is not \(expected)",
      hint: option.hasPrefix("-") ? "raibid-backup --help" : "printenv \(option)")
  }

  /// A question that nobody can be asked.
  public static func cannotAsk(_ archive: String) -> BackupError {
    BackupError(
      .usage, "cannot restore \(archive): nobody can be asked, since there is no terminal",
      hint: .again("--yes"))
  }

  /// A local server that nothing can start again.
  public static func noRestartCommand() -> BackupError {
    BackupError(
      .usage, "cannot restore: nothing says how this server is started again",
      hint: .again("--restart-command 'systemctl restart redis-server'"))
  }

  static func notConfirmed() -> BackupError {
    BackupError(
      .usage, "cannot restore: the answer was not \"yes\"; nothing was changed", hint: .again(""))
  }

  /// A file with settings that cannot be used.
  public static func settings(inFile path: String, fact: String) -> BackupError {
    BackupError(
      .config, "cannot read the settings in \(path): \(fact)",
      // Shows where the fault is, but no password.
      hint: "python3 -m json.tool \(shellWord(path)) /dev/null")
  }

  /// A file with settings whose values have the wrong types.
  public static func settings(inFile path: String, wrongType fact: String) -> BackupError {
    BackupError(
      .config, "cannot read the settings in \(path): \(fact)",
      hint: "jq 'map_values(type)' \(shellWord(path))")
  }

  /// A file with settings that was named and is not there.
  public static func settings(missingFile path: String) -> BackupError {
    BackupError(
      .config, "cannot read the settings in \(path): there is no such file",
      hint: "ls -l \(shellWord(path))")
  }

  /// A file with settings that others can write to: what it says may be theirs.
  public static func settings(_ path: String, othersCanWrite mode: UInt32) -> BackupError {
    BackupError(
      .config,
      "cannot use the settings in \(path): others can write to it (mode \(String(mode, radix: 8))), "
        + "and it may name commands to run",
      hint: .shell(
        "chmod go-w \(shellWord(path))   # where that changes nothing, use another file system"))
  }

  /// A file with settings of another user: what it says is theirs.
  public static func settings(_ path: String, ofUser userID: UInt32) -> BackupError {
    BackupError(
      .config,
      "cannot use the settings in \(path): it belongs to another user (\(userID)), "
        + "and it may name commands to run",
      hint: .shell(
        "install -m 600 \(shellWord(path)) FILE   # a copy of your own, for --config FILE"))
  }

  /// A name in a file with settings that no option has.
  ///
  /// - Parameter nearest: The name that was probably meant.
  public static func setting(
    _ place: String, inFile path: String, unknownBeside nearest: String?
  ) -> BackupError {
    BackupError(
      .config,
      "cannot use \(place) in \(path): there is no such setting"
        + (place.split(separator: ".").last == "password"
          ? passwordPlace("password_file") : nearest.map { "; did you mean \"\($0)\"?" } ?? ""),
      hint: "raibid-backup config schema   # has all names")
  }

  /// What somebody has to know who gives a password where none is taken.
  private static func passwordPlace(_ name: String) -> String {
    "; a password is given in a file that \(name) names, or in REDISCLI_AUTH"
  }

  /// A name that stands twice in one object of a file with settings: only one of its values would count.
  public static func setting(_ place: String, twiceInFile path: String) -> BackupError {
    let name = place.split(separator: ".").last.map(String.init) ?? place
    return BackupError(
      .config, "cannot use \(place) in \(path): it is there twice",
      hint: .shell("grep -n \(shellWord("\"\(name)\"")) \(shellWord(path))"))
  }

  /// A setting that only one command has, outside of its section.
  public static func setting(
    _ name: String, inFile path: String, belongsTo section: String
  ) -> BackupError {
    BackupError(
      .config,
      "cannot use \(name) in \(path): it belongs into the section of its command, "
        + "{\"\(section)\": {\"\(name)\": …}}",
      hint: "raibid-backup config schema   # has all names")
  }

  /// A setting that is too dangerous, or means too little, in a file.
  public static func setting(
    _ place: String, inFile path: String, mustBeTyped option: String
  ) -> BackupError {
    BackupError(
      .config, "cannot use \(place) in \(path): --\(option) counts only when it is typed",
      hint: .shell("jq 'del(.\(place))' \(shellWord(path))   # prints the file without it"))
  }

  /// The same in the environment.
  public static func variable(_ name: String, mustBeTyped option: String) -> BackupError {
    BackupError(
      .config, "cannot use \(name): --\(option) counts only when it is typed",
      hint: .shell("unset \(name)"))
  }

  /// The warning of a variable of this program that no option has.
  ///
  /// - Parameter nearest: The one that was probably meant.
  public static func variable(_ name: String, unknownBeside nearest: String?) -> String {
    "there is no option for \(name)"
      + (name == "RAIBID_BACKUP_PASSWORD"
        ? passwordPlace("RAIBID_BACKUP_PASSWORD_FILE")
        : nearest.map { "; did you mean \($0)?" } ?? "")
  }

  /// A setting whose value an option cannot have.
  public static func setting(
    _ place: String, inFile path: String, fact: String
  ) -> BackupError {
    BackupError(
      .config, "cannot use \(place) in \(path): \(withoutOption(fact))",
      hint: "raibid-backup config show")
  }

  /// A variable whose value an option cannot have.
  public static func variable(_ name: String, fact: String) -> BackupError {
    BackupError(.usage, "cannot use \(name): \(withoutOption(fact))", hint: "printenv \(name)")
  }

  /// A file with settings that cannot be opened.
  public static func settings(_ error: FileError) -> BackupError {
    BackupError(
      error.isDenied ? .denied : .config,
      "cannot read the settings in \(error.path): \(error.reason)",
      hint: "ls -l \(shellWord(error.path))")
  }

  /// A file with a password that cannot be read.
  public static func passwordFile(_ error: FileError) -> BackupError {
    BackupError(
      error.isDenied ? .denied : .config,
      "cannot read the password in \(error.path): \(error.reason)",
      hint: "ls -l \(shellWord(error.path))")
  }

  /// A password file with nothing in it.
  public static func passwordFileEmpty(_ path: String) -> BackupError {
    BackupError(
      .config, "cannot read the password in \(path): there is none in it",
      hint: "ls -l \(shellWord(path))")
  }

  /// A password file that is not there.
  public static func passwordFileMissing(_ path: String) -> BackupError {
    BackupError(
      .config, "cannot read the password in \(path): there is no such file",
      hint: "ls -l \(shellWord(path))")
  }

  static func secretMissing(name: String, key: String) -> BackupError {
    BackupError(
      .config, "cannot read the password: there is no key \(key) in a Secret \(name)",
      hint: .kubectl("describe secret \(shellWord(name))"))
  }

  static func internalError(_ fact: String) -> BackupError {
    BackupError(
      .internal, "cannot go on: this tool has a fault: \(fact)",
      hint: "raibid-backup --version   # report it with this text, please")
  }

  /// An error that nobody expected.
  public static func unexpected(_ error: any Error) -> BackupError {
    internalError("\(error)")
  }
}
