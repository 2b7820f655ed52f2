import Operations

/// What holds for the commands as long as nothing is typed.
struct EffectiveSettings {
  /// Where a value is from.
  enum Origin: Equatable {
    case set(Settings.Origin)
    case credentials(String)
    case secret
    case standard

    /// The word for it in JSON.
    var kind: String {
      switch self {
      case .set(.variable): "variable"
      case .set(.file): "file"
      case .credentials: "credentials"
      case .secret: "secret"
      case .standard: "default"
      }
    }

    /// The variable, or the path of the file.
    var place: String? {
      switch self {
      case .set(.variable(let name)): name
      case .set(.file(let path, _)), .credentials(let path): path
      case .secret, .standard: nil
      }
    }

    /// For people.
    var words: String { place ?? kind }
  }

  /// A setting with its value.
  struct Setting {
    /// As a file names it: a section and a dot come before what one command has alone.
    var name: String
    let option: CommandOption?
    let value: String?
    let origin: Origin

    /// The value without secrets.
    var shownValue: String? {
      guard let option else { return value }
      return value.map(option.shown)
    }
  }

  /// The file with settings, where there is one.
  let file: String?
  /// All of them, those that several commands share first.
  let all: [Setting]

  /// - Throws: `BackupError` when a variable or a file cannot be used.
  init(file path: String?, environment: Environment) throws {
    let file = try ConfigurationFile(chosen: path, environment: environment)
    self.file = file?.path
    let table = try CommandTable()
    let credentials = try environment.credentials()
    var sections: Set<String> = []
    let own = try table.commands.filter { command in
      sections.insert(command.sections.last ?? "").inserted
    }.flatMap { command in
      let settings = try Settings(
        of: command, typed: TypedOptions(), file: file, environment: environment, rest: [])
      return table.ownOptions(of: command).map { option in
        Setting(option, of: command, settings).overlaid(by: credentials, settings, environment)
      }
    }
    let shared = table.sharedOptions.compactMap { option in
      let same = own.filter { $0.option?.name == option.name }
      guard let first = same.first,
        same.allSatisfy({ $0.value == first.value && $0.origin == first.origin })
      else { return nil as Setting? }
      return Setting(name: option.key, option: option, value: first.value, origin: first.origin)
    }
    let sharedNames = Set(shared.map(\.name))
    all =
      shared + Self.password(credentials, shared, environment)
      + own.filter { !sharedNames.contains($0.option?.key ?? "") }
  }

  /// Where the password comes from, unless a file is named for it.
  private static func password(
    _ credentials: Credentials?, _ settings: [Setting], _ environment: Environment
  ) -> [Setting] {
    func setting(_ origin: Origin, hidden: Bool = true) -> [Setting] {
      [Setting(name: "password", option: nil, value: hidden ? "(hidden)" : nil, origin: origin)]
    }
    if settings.contains(where: { $0.name == "password_file" && $0.value != nil }) { return [] }
    if environment.password != nil { return setting(.set(.variable("REDISCLI_AUTH"))) }
    if credentials?.givenPassword != nil {
      return setting(.credentials(environment.credentialsPath))
    }
    let isLocal = settings.contains { $0.name == "target" && $0.value == "local" }
    return isLocal ? setting(.standard, hidden: false) : setting(.secret)
  }
}

extension EffectiveSettings.Setting {
  /// What a variable, a file or the default says.
  fileprivate init(_ option: CommandOption, of command: SettableCommand, _ settings: Settings) {
    let setting = settings.settings.first { $0.option.name == option.name }
    name = "\(command.sections.last ?? "").\(option.key)"
    self.option = option
    value = setting.map { $0.values.joined(separator: ",") } ?? option.defaultText
    origin = setting.map { .set($0.origin) } ?? .standard
  }

  /// The same, with what raibid's installer has written where nothing else is said.
  fileprivate func overlaid(
    by credentials: Credentials?, _ settings: Settings, _ environment: Environment
  ) -> EffectiveSettings.Setting {
    guard origin == .standard, let credentials, let option else { return self }
    let isLocal = settings.settings.contains {
      $0.option.name == "target" && $0.values == ["local"]
    }
    let value: String? =
      switch option.name {
      case "namespace" where !isLocal: credentials.namespace
      case "host" where isLocal: credentials.host
      case "port" where isLocal: credentials.port.map { "\($0)" }
      default: nil
      }
    return value.map {
      Self(
        name: name, option: option, value: $0, origin: .credentials(environment.credentialsPath))
    } ?? self
  }
}
