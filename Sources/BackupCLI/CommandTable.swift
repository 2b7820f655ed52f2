import ArgumentParser

/// A command that takes settings.
struct SettableCommand: Sendable {
  /// The words that call it, such as `schedule` and `cron`.
  let words: [String]
  /// The sections of a file that are about it, the more special ones last.
  let sections: [String]
  let options: [CommandOption]

  init(_ type: any BackupCommand.Type, words: [String]) throws {
    self.words = words
    sections = type.sections
    options = try CommandOption.all(of: type)
  }

  /// The command that a command line calls, and the words that do; nil where it calls none that takes
  /// settings.
  static func type(
    calledBy arguments: [String]
  ) -> (type: any BackupCommand.Type, words: [String])? {
    var type: any ParsableCommand.Type = RaibidBackup.self
    var words: [String] = []
    for word in arguments {
      guard let next = type.configuration.subcommands.first(where: { $0._commandName == word })
      else { break }
      type = next
      words.append(word)
    }
    return (type as? any BackupCommand.Type).map { ($0, words) }
  }
}

/// All commands that take settings.
struct CommandTable: Sendable {
  let commands: [SettableCommand]

  init() throws {
    commands = try Self.commands(of: RaibidBackup.self, words: [])
  }

  private static func commands(
    of parent: any ParsableCommand.Type, words: [String]
  ) throws -> [SettableCommand] {
    try parent.configuration.subcommands.flatMap { type in
      let words = words + [type._commandName]
      let own = try (type as? any BackupCommand.Type).map {
        [try SettableCommand($0, words: words)]
      }
      return try (own ?? []) + commands(of: type, words: words)
    }
  }

  /// The names of the sections that a file may have, in the order of the help.
  var sections: [String] {
    commands.reduce(into: []) { names, command in
      if let name = command.sections.last, !names.contains(name) { names.append(name) }
    }
  }

  /// The options that neither a file nor a variable may set.
  var optionsToType: [CommandOption] { commands.flatMap(\.options).filter(\.mustBeTyped) }

  /// The options that a section may set.
  func options(inSection section: String) -> [CommandOption] {
    Self.distinct(commands.filter { $0.sections.last == section }.flatMap(\.options))
  }

  /// The options that a section may set and no section before it.
  func ownOptions(of command: SettableCommand) -> [CommandOption] {
    let others = Set(command.sections.dropLast().flatMap(options(inSection:)).map(\.name))
    return options(inSection: command.sections.last ?? "").filter { !others.contains($0.name) }
  }

  /// The options that may stand outside of all sections: those that mean the same to several commands.
  ///
  /// What only one command has stays in its section, so that no setting can surprise another one.
  var sharedOptions: [CommandOption] {
    // A command with several sections has the options of another command, which are no second use.
    let all = commands.filter { $0.sections.count == 1 }.flatMap(\.options)
    return Self.distinct(all).filter { option in
      let same = all.filter { $0.name == option.name }
      return same.count > 1 && same.allSatisfy { $0.help == option.help }
    }
  }

  private static func distinct(_ options: [CommandOption]) -> [CommandOption] {
    var names: Set<String> = []
    // A file cannot say which file it is.
    return options.filter {
      $0.name != "config" && !$0.mustBeTyped && names.insert($0.name).inserted
    }
  }
}
