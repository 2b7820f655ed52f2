import ArchiveStore
import Files
import FoundationEssentials
import Glibc
import Operations
import RawJSON

/// A file with settings: an object with the names of options, and in it an object for each command that
/// has settings of its own.
struct ConfigurationFile: Sendable {
  private static let maximumByteCount = 1 << 20

  let path: String
  /// Whether it belongs to root.
  let isRoots: Bool
  private let home: String
  private let settings: [String: JSONValue]

  /// Reads the file that was chosen on the command line or by `RAIBID_BACKUP_CONFIG`, which must be
  /// there, or else the one in the home of the user, which need not; and checks all of it, whatever the
  /// command is that wants something of it.
  ///
  /// - Throws: `BackupError` when it is there but is not a file with settings.
  init?(chosen typedPath: String?, environment: Environment) throws {
    let chosen = typedPath ?? environment.option("config")
    path = chosen ?? environment.configurationDirectory + "/backup.json"
    home = environment.home
    do {
      guard let file = try FileTree.file(at: path) else {
        if chosen != nil { throw BackupError.settings(missingFile: path) }
        return nil
      }
      let status = try file.status()
      try Self.checkWriters(of: path, status)
      isRoots = status.userID == 0
      let bytes = try file.contents(limit: Self.maximumByteCount)
      let document = try JSON.decoder().decode(JSONValue.self, from: Data(bytes))
      guard case .object(let settings) = document else {
        throw BackupError.settings(inFile: path, fact: "it is not an object")
      }
      if let place = RepeatedName.first(in: bytes) {
        throw BackupError.setting(place, twiceInFile: path)
      }
      self.settings = settings.filter { $0.key != "$schema" }
    } catch let error as FileError {
      throw BackupError.settings(error)
    } catch is DecodingError {
      throw BackupError.settings(inFile: path, fact: "it is not JSON")
    }
    try check(against: CommandTable())
  }

  /// What the file says about an option of a command.
  func setting(of option: CommandOption, inSections sections: [String]) -> Settings.Setting? {
    for section in sections.reversed() {
      if case .object(let own) = settings[section], let value = own[option.key] {
        return setting(option, value, at: "\(section).\(option.key)")
      }
    }
    return settings[option.key].flatMap { setting(option, $0, at: option.key) }
  }

  private func setting(
    _ option: CommandOption, _ value: JSONValue, at place: String
  ) -> Settings.Setting? {
    option.values(value).map { values in
      Settings.Setting(
        option: option, values: option.isPath ? values.map(inHome) : values,
        origin: .file(path, place: place))
    }
  }

  /// No shell has seen the text.
  private func inHome(_ path: String) -> String {
    path.hasPrefix("~/") ? home + path.dropFirst() : path
  }

  // MARK: - Checking

  /// What it says may be commands: only root and this user may have written it.
  private static func checkWriters(of path: String, _ status: FileStatus) throws {
    guard [0, geteuid()].contains(status.userID) else {
      throw BackupError.settings(path, ofUser: status.userID)
    }
    // With a umask of 002 the group of a user, in which nobody else is, can write to all that is the user's.
    let others: UInt32 = status.groupID == getegid() ? 0o002 : 0o022
    guard status.mode & others == 0 else {
      throw BackupError.settings(path, othersCanWrite: status.mode)
    }
  }

  private func check(against table: CommandTable) throws {
    let sections = table.sections
    let shared = table.sharedOptions
    let mustBeTyped = table.optionsToType
    for (key, value) in settings.sorted(by: { $0.key < $1.key }) {
      if sections.contains(key) {
        guard case .object(let own) = value else { throw wrong(key, "an object") }
        let options = table.options(inSection: key) + mustBeTyped
        for (name, value) in own.sorted(by: { $0.key < $1.key }) {
          try check(name, value, at: "\(key).\(name)", among: options, sections: [])
        }
      } else if let owner = sections.first(where: { section in
        table.options(inSection: section).contains { $0.key == key }
      }), !shared.contains(where: { $0.key == key }) {
        throw BackupError.setting(key, inFile: path, belongsTo: owner)
      } else {
        try check(key, value, at: key, among: shared + mustBeTyped, sections: sections)
      }
    }
  }

  private func check(
    _ name: String, _ value: JSONValue, at place: String, among options: [CommandOption],
    sections: [String]
  ) throws {
    guard let option = options.first(where: { $0.key == name }) else {
      let names = options.filter { !$0.mustBeTyped }.map(\.key) + sections
      throw BackupError.setting(
        place, inFile: path, unknownBeside: Spelling.nearest(to: name, among: names))
    }
    guard !option.mustBeTyped else {
      throw BackupError.setting(place, inFile: path, mustBeTyped: option.name)
    }
    guard let values = option.values(value) else { throw wrong(place, option.expected) }
    for value in values where !option.values.isEmpty && !option.values.contains(value) {
      throw BackupError.settings(
        inFile: path,
        wrongType: "\(place) is \"\(value)\", not one of \(option.values.joined(separator: ", "))")
    }
  }

  private func wrong(_ place: String, _ expected: String) -> BackupError {
    .settings(inFile: path, wrongType: "\(place) is not \(expected)")
  }
}
