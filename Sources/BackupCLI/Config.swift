import ArchiveStore
import ArgumentParser
import Operations

/// Shows what holds, and what can be set.
struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Show the settings and where each comes from.",
    discussion: """
      Options come first, then variables (RAIBID_BACKUP_ and the name of the option in capitals), then \
      the file with settings, then raibid's credentials file, then the defaults.
      """,
    subcommands: [Show.self, Schema.self])

  func run() throws {
    throw ValidationError("what of the configuration? show or schema")
  }

  /// Prints every setting.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print every setting, its value, and where it comes from; secrets are hidden.")

    @Option(
      help: ArgumentHelp(
        "The file with settings (default: ~/.raibid/backup.json).", valueName: "file"),
      completion: .file())
    var config: String?

    @Flag(help: "Print exactly one JSON document.")
    var json = false

    func run() throws {
      let settings = try EffectiveSettings(file: config, environment: .current)
      if json { return try Output.standard.write(json: ConfigDocument(settings)) }
      Output.standard.write(
        Table.text(
          ["SETTING", "VALUE", "FROM"],
          settings.all.map { [$0.name, $0.shownValue ?? "", $0.origin.words] }))
    }
  }

  /// Prints what a file with settings may hold.
  struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "schema",
      abstract: "Print the JSON schema of the file with settings.")

    func run() throws {
      try Output.standard.write(json: ConfigurationSchema.document(CommandTable()))
    }
  }
}

/// The document of `config show --json`.
struct ConfigDocument: Encodable {
  /// A setting with its value.
  struct Setting: Encodable {
    let name: String
    let value: String?
    let from: String
    let place: String?

    enum CodingKeys: String, CodingKey {
      case name, value, from, place
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(value, forKey: .value)
      try container.encode(from, forKey: .from)
      try container.encode(place, forKey: .place)
    }
  }

  let schemaVersion = 1
  let file: String?
  let settings: [Setting]

  enum CodingKeys: String, CodingKey {
    case file, settings
    case schemaVersion = "schema_version"
  }

  init(_ settings: EffectiveSettings) {
    file = settings.file
    self.settings = settings.all.map {
      Setting(name: $0.name, value: $0.shownValue, from: $0.origin.kind, place: $0.origin.place)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(schemaVersion, forKey: .schemaVersion)
    try container.encode(file, forKey: .file)
    try container.encode(settings, forKey: .settings)
  }
}
