import Operations

/// What a command is told beside the words that were typed: variables first, then a file.
///
/// It becomes words of the command line itself, so that every option is read and checked in one way,
/// wherever its value is from.
struct Settings: Sendable {
  /// Where a value is from.
  enum Origin: Sendable, Equatable {
    case variable(String)
    case file(String, place: String)
  }

  /// A value that was not typed.
  struct Setting: Sendable {
    let option: CommandOption
    let values: [String]
    let origin: Origin
  }

  /// Those of the run that is being parsed or done.
  @TaskLocal static var current = Settings(words: [])

  /// The command line with all of it.
  let words: [String]
  let settings: [Setting]
  /// The file, where there is one.
  let file: ConfigurationFile?
  /// The long names of the options that were typed.
  private let typed: Set<String>

  private init(words: [String], typed: TypedOptions = TypedOptions()) {
    self.words = words
    settings = []
    file = nil
    self.typed = typed.names
  }

  /// Finds the settings of the command that a command line calls.
  ///
  /// - Throws: `BackupError` when a variable or a file cannot be used.
  init(for arguments: [String], environment: Environment) throws {
    guard !arguments.contains(where: ["-h", "--help", "--version"].contains),
      let (type, words) = SettableCommand.type(calledBy: arguments)
    else {
      self.init(words: arguments)
      return
    }
    var file: ConfigurationFile?
    if environment.optionNames.isEmpty, let typed = TypedOptions(longNamesIn: arguments),
      !typed.names.contains("config")
    {
      file = try ConfigurationFile(chosen: nil, environment: environment)
      if file == nil {
        // The table of the options takes longer than all else before a command runs.
        self.init(words: arguments, typed: typed)
        return
      }
    }
    let command = try SettableCommand(type, words: words)
    let rest = arguments.dropFirst(words.count)
    let typed = TypedOptions(rest, of: command.options)
    try self.init(
      of: command, typed: typed,
      file: file
        ?? ConfigurationFile(chosen: typed.value(of: "config"), environment: environment),
      environment: environment, rest: Array(rest))
  }

  /// The settings of a command.
  init(
    of command: SettableCommand, typed: TypedOptions, file: ConfigurationFile?,
    environment: Environment, rest: [String]
  ) throws {
    settings = try command.options.filter { !typed.names.contains($0.name) }.compactMap { option in
      if let text = environment.value(option.variable) {
        let values = try option.values(variable: option.variable, text)
        guard !option.mustBeTyped else {
          // What switches nothing on lets nothing past a protection.
          if option.kind == .flag, values == ["false"] { return nil }
          throw BackupError.variable(option.variable, mustBeTyped: option.name)
        }
        return Setting(option: option, values: values, origin: .variable(option.variable))
      }
      return file?.setting(of: option, inSections: command.sections)
    }
    words = command.words + settings.flatMap { $0.option.words($0.values) } + rest
    self.file = file
    self.typed = typed.names
  }

  /// The variables of this program that no option of any command has, each with the one that was probably
  /// meant.
  func strayVariables(
    in environment: Environment
  ) throws -> [(name: String, nearest: String?)] {
    let used = Set(settings.map(\.option.variable)).union(WatchedRun.variables)
    let names = environment.optionNames.filter { !used.contains($0) }
    // The options of all commands take their time, and mostly nobody has to ask.
    guard !names.isEmpty else { return [] }
    let options = try CommandTable().commands.flatMap(\.options)
    let known = Set(options.map(\.variable))
    let settable = options.filter { !$0.mustBeTyped }.map(\.variable)
    return names.filter { !known.contains($0) }.sorted().map {
      ($0, Spelling.nearest(to: $0, among: settable))
    }
  }

  /// Whether an option is on the command line itself.
  func isTyped(_ name: String) -> Bool { typed.contains(name) }

  /// Whether a command line asks for JSON.
  static func asksForJSON(_ words: [String]) -> Bool {
    words.last { ["--json", "--no-json"].contains($0) } == "--json"
  }

  /// Whether a command line asks for the line of a Nagios plugin.
  static func asksForNagios(_ words: [String]) -> Bool {
    words.first == "status"
      && words.last { ["--nagios", "--no-nagios"].contains($0) } == "--nagios"
  }

  /// Where an option is set that is not typed, for people; nil where it is not set.
  func place(of name: String) -> String? {
    switch settings.first(where: { $0.option.name == name })?.origin {
    case .variable(let variable): variable
    case .file(let path, let place): "\(place) in \(path)"
    case nil: nil
    }
  }

  /// How far from the command line a variable is.
  static let variableDistance = 1

  /// How far from the command line an option is set: on it, in a variable, in the file.
  func distance(of name: String) -> Int {
    if isTyped(name) { return 0 }
    if case .variable? = settings.first(where: { $0.option.name == name })?.origin {
      return Self.variableDistance
    }
    return 2
  }

  /// Those of some options that are on the command line itself, as words of one.
  func typedWords(_ options: [(name: String, value: String?)]) -> [String] {
    options.flatMap { name, value in
      isTyped(name) ? value.map { ["--\(name)", $0] } ?? [] : []
    }
  }

  /// The error for a value that the parser has refused, where the value was not typed.
  ///
  /// - Parameter fact: What the parser says; it names the option.
  func error(refusing fact: String) -> BackupError? {
    let names = fact.matches(of: /--[a-z0-9-]+/).map { String($0.0) }
    guard
      let setting = settings.first(where: { names.contains("--\($0.option.name)") })
    else { return nil }
    switch setting.origin {
    case .variable(let variable): return .variable(variable, fact: fact)
    case .file(let path, let place): return .setting(place, inFile: path, fact: fact)
    }
  }
}

/// The options among the words of a command line, as far as it must be known before they are parsed.
struct TypedOptions: Sendable {
  private var values: [String: String?] = [:]

  /// None.
  init() {}

  init(_ words: ArraySlice<String>, of options: [CommandOption]) {
    var words = words
    while let word = words.popFirst(), word != "--" {
      guard word.hasPrefix("-"), word != "-" else { continue }
      let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        .map(String.init)
      // "-qv" is "-q -v".
      let spellings = word.hasPrefix("--") ? [parts[0]] : parts[0].dropFirst().map { "-\($0)" }
      for option in spellings.compactMap({ spelling in
        options.first { $0.spellings.contains(spelling) }
      }) {
        var value = parts.count == 2 ? parts[1] : nil
        if value == nil, option.kind != .flag, let next = words.first, !next.hasPrefix("-") {
          value = words.popFirst()
        }
        values.updateValue(value, forKey: option.name)
      }
    }
  }

  /// The same without the options of the command, for ``names`` alone; nil where a short name would have to
  /// be looked up. Names that no option has may be among them.
  init?(longNamesIn words: [String]) {
    for word in words.prefix(while: { $0 != "--" }) where word.hasPrefix("-") && word != "-" {
      guard word.hasPrefix("--") else { return nil }
      let name = String(word.dropFirst(2).prefix { $0 != "=" })
      values.updateValue(nil, forKey: name)
      if name.hasPrefix("no-") { values.updateValue(nil, forKey: String(name.dropFirst(3))) }
    }
  }

  /// The long names.
  var names: Set<String> { Set(values.keys) }

  /// The last value of an option; nil where there is none.
  func value(of name: String) -> String? { values[name] ?? nil }
}
