import ArchiveStore
import ArgumentParser
import FoundationEssentials
import Operations
import RawJSON

/// An option of a command, as the parser itself describes it: from this comes all that files with
/// settings and variables may set, so that a new option needs nothing else.
struct CommandOption: Sendable, Equatable {
  /// What its value is.
  enum Kind: Sendable {
    case flag, number, text, list
  }

  /// The long name, such as `keep-daily`.
  let name: String
  /// All its names as they are typed, such as `--quiet` and `-q`.
  let spellings: [String]
  let kind: Kind
  /// Whether `--no-` and the name turn it off.
  let isInvertible: Bool
  /// The values that it may have; empty where there are others.
  let values: [String]
  /// Whether the value is a path on this host.
  let isPath: Bool
  /// What the help calls its value.
  let valueName: String?
  let help: String
  /// What holds where nothing else is said, as the parser knows it.
  let defaultValue: String?

  /// Its name in a file with settings.
  var key: String { String(name.map { $0 == "-" ? "_" : $0 }) }

  /// Its name in the environment.
  var variable: String { Environment.variable(name) }

  /// Whether it counts only on the command line itself: it says what one run is about, or lets it past a
  /// protection.
  var mustBeTyped: Bool { Self.namesToType.contains(name) }

  private static let namesToType: Set = [
    "all", "database", "dry-run", "force", "from-other-source", "key", "keys", "match",
    "no-safety-backup", "quick", "replace", "resume", "rollback", "ttl", "unit", "yes",
  ]

  /// What holds where nothing else is said: what the help names, or else what the parser knows.
  var defaultText: String? {
    if kind == .flag { return "\(defaultValue == "--\(name)")" }
    guard let start = help.firstRange(of: "(default: ")?.upperBound else { return defaultValue }
    return String(help[start...].prefix { $0 != ")" })
  }

  /// The words of a command line that say so.
  func words(_ values: [String]) -> [String] {
    guard kind == .flag else { return values.map { "--\(name)=\($0)" } }
    if values == ["true"] { return ["--\(name)"] }
    return isInvertible ? ["--no-\(name)"] : []
  }

  /// Whether its value may hold a secret.
  var isSecret: Bool { ["cmd", "url"].contains(valueName) }

  /// A value without secrets.
  func shown(_ value: String) -> String {
    switch valueName {
    case "cmd": SecretText.program(of: value)
    case "url": SecretText.shown(url: value)
    default: value
    }
  }

  /// What stands for it in a file.
  var expected: String {
    switch kind {
    case .flag: "true or false"
    case .number: "a number"
    case .text: "a string"
    case .list: "an array of strings"
    }
  }

  /// The values that a file gives; nil where they are of another type.
  func values(_ value: JSONValue) -> [String]? {
    switch (kind, value) {
    case (.flag, .bool(let isOn)): ["\(isOn)"]
    case (.number, .integer(let number)): ["\(number)"]
    case (.number, .unsigned(let number)): ["\(number)"]
    case (.text, .string(let text)): [text]
    case (.list, .array(let elements)):
      elements.allSatisfy { if case .string = $0 { true } else { false } }
        ? elements.compactMap { if case .string(let text) = $0 { text } else { nil } } : nil
    default: nil
    }
  }

  /// The values that a variable gives.
  ///
  /// - Throws: `BackupError`.
  func values(variable: String, _ text: String) throws -> [String] {
    switch kind {
    case .flag:
      switch text.lowercased() {
      case "1", "true", "yes", "on": return ["true"]
      case "0", "false", "no", "off": return ["false"]
      default: throw BackupError.badValue(variable, text, expected: "true or false")
      }
    case .list: return text.split(separator: ",").map(String.init)
    case .number, .text: return [text]
    }
  }
}

extension CommandOption {
  /// The options of a command, in the order of its help.
  ///
  /// - Throws: `DecodingError` when the parser describes them in another way than it used to.
  static func all(of command: any ParsableArguments.Type) throws -> [CommandOption] {
    let described = try JSONDecoder().decode(
      Description.self, from: Data(command._dumpHelp().utf8)
    ).command.arguments.filter { $0.kind != "positional" }
    let names = Set(described.compactMap(\.preferredName?.name))
    let numbers = numberNames(in: command)
    return described.compactMap { option in
      guard let name = option.preferredName?.name, !["help", "version"].contains(name),
        !(name.hasPrefix("no-") && names.contains(String(name.dropFirst(3))))
      else { return nil }
      return CommandOption(
        name: name,
        spellings: (option.names ?? []).map(\.spelling)
          + (names.contains("no-" + name) ? ["--no-" + name] : []),
        kind: kind(option, isNumber: numbers.contains(name)),
        isInvertible: names.contains("no-" + name), values: option.allValues ?? [],
        isPath: option.completionKind.map { $0["file"] != nil || $0["directory"] != nil } ?? false,
        valueName: option.valueName, help: option.abstract ?? "", defaultValue: option.defaultValue)
    }
  }

  private static func kind(_ option: Description.Argument, isNumber: Bool) -> Kind {
    if option.kind == "flag" { return .flag }
    if option.isRepeating { return .list }
    return isNumber ? .number : .text
  }

  /// The part of the parser's own description that is needed here.
  private struct Description: Decodable {
    struct Command: Decodable {
      let arguments: [Argument]
    }

    struct Argument: Decodable {
      let kind: String
      let isRepeating: Bool
      let names: [Name]?
      let preferredName: Name?
      let valueName: String?
      let abstract: String?
      let allValues: [String]?
      let defaultValue: String?
      let completionKind: [String: Anything]?
    }

    struct Name: Decodable {
      let kind: String
      let name: String

      var spelling: String { (kind == "long" ? "--" : "-") + name }
    }

    struct Anything: Decodable {}

    let command: Command
  }
}

// MARK: - Numbers

/// A type whose values are written as numbers in JSON.
private protocol WrittenAsNumber {}
extension Int: WrittenAsNumber {}
extension UInt64: WrittenAsNumber {}
extension Optional: WrittenAsNumber where Wrapped: WrittenAsNumber {}

/// An option with such a value.
private protocol NumberOption {}
extension Option: NumberOption where Value: WrittenAsNumber {}

/// Options that stand in a type of their own.
private protocol OptionsOfType {
  static var type: any ParsableArguments.Type { get }
}

extension OptionGroup: OptionsOfType {
  static var type: any ParsableArguments.Type { Value.self }
}

extension CommandOption {
  /// The options with a number: the description of the parser does not tell them.
  private static func numberNames(in arguments: any ParsableArguments.Type) -> Set<String> {
    var names: Set<String> = []
    for child in Mirror(reflecting: arguments.init()).children {
      if let group = Swift.type(of: child.value) as? any OptionsOfType.Type {
        names.formUnion(numberNames(in: group.type))
      } else if child.value is any NumberOption, let label = child.label {
        names.insert(optionName(ofProperty: label))
      }
    }
    return names
  }

  /// `_keepDaily` is `--keep-daily`.
  private static func optionName(ofProperty label: String) -> String {
    label.drop { $0 == "_" }.reduce(into: "") { name, character in
      name += character.isUppercase ? "-" + character.lowercased() : String(character)
    }
  }
}
