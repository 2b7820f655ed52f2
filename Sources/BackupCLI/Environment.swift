import Files
import FoundationEssentials
import Operations

/// What a command takes from its surroundings; the only place that reads them.
struct Environment: Sendable {
  /// The variables of this process.
  static let current = Environment(variables: ProcessInfo.processInfo.environment)

  let variables: [String: String]

  /// A variable of this program: `RAIBID_BACKUP_` and the option's name in capitals.
  func option(_ name: String) -> String? {
    let suffix = name.uppercased().split(separator: "-").joined(separator: "_")
    return value("RAIBID_BACKUP_" + suffix)
  }

  /// A variable that is set and not empty.
  func value(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// The directory of this program's files in the home of the user.
  var configurationDirectory: String { (value("HOME") ?? "/root") + "/.raibid" }

  /// Where archives lie unless the user says otherwise.
  var defaultDirectory: String { configurationDirectory + "/backups" }

  /// The credentials that raibid's installer has written; nil when it has not.
  ///
  /// - Throws: `BackupError` when the file is there but cannot be used.
  func credentials() throws -> Credentials? {
    let path = configurationDirectory + "/redis-credentials.json"
    do {
      guard let bytes = try FileTree.contents(of: path, limit: 1 << 20) else { return nil }
      return try JSONDecoder().decode(Credentials.self, from: Data(bytes))
    } catch let error as FileError {
      throw BackupError.settingsFile(path, cause: error.description)
    } catch let error as DecodingError {
      throw BackupError.settingsFile(path, cause: Self.fact(error))
    }
  }

  private static func fact(_ error: DecodingError) -> String {
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .keyNotFound(_, let context), .dataCorrupted(let context):
      let path = context.codingPath.map(\.stringValue).joined(separator: ".")
      return path.isEmpty ? "it is not JSON" : "\(path) is not what it should be"
    @unknown default: return "it is not JSON"
    }
  }
}

/// The file that raibid's own installer writes.
struct Credentials: Decodable, Sendable {
  let host: String?
  let port: Int?
  let password: String?
  let namespace: String?
}
