import Files
import FoundationEssentials
import Glibc
import Operations

/// What a command takes from its surroundings; the only place that reads them.
struct Environment: Sendable {
  /// The variables of this process.
  static let current = Environment(
    variables: ProcessInfo.processInfo.environment, password: bytes(of: "REDISCLI_AUTH"))

  let variables: [String: String]
  /// The password in `REDISCLI_AUTH`, byte for byte; nil when there is none.
  let password: [UInt8]?

  /// A variable of this program: `RAIBID_BACKUP_` and the option's name in capitals.
  func option(_ name: String) -> String? {
    value(Self.variable(name))
  }

  /// The name of an option's variable.
  static func variable(_ name: String) -> String {
    "RAIBID_BACKUP_" + name.uppercased().split(separator: "-").joined(separator: "_")
  }

  /// The variables of this program that are set and not empty.
  var optionNames: [String] {
    variables.keys.filter { $0.hasPrefix(Self.variable("")) && value($0) != nil }
  }

  /// A variable as it is: text would lose what is not UTF-8.
  private static func bytes(of name: String) -> [UInt8]? {
    guard let value = unsafe getenv(name) else { return nil }
    let bytes = unsafe Array(UnsafeRawBufferPointer(start: value, count: strlen(value)))
    return bytes.isEmpty ? nil : bytes
  }

  /// A variable that is set and not empty.
  func value(_ name: String) -> String? {
    variables[name].flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether it names a proxy for HTTP, in one of the spellings of curl.
  var namesProxy: Bool {
    ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"].contains {
      value($0) != nil
    }
  }

  /// The home of the user.
  var home: String { value("HOME") ?? "/root" }

  /// The directory of this program's files in it.
  var configurationDirectory: String { home + "/.raibid" }

  /// Where archives lie unless the user says otherwise.
  var defaultDirectory: String { configurationDirectory + "/backups" }

  /// Where raibid's installer writes credentials.
  var credentialsPath: String { configurationDirectory + "/redis-credentials.json" }

  /// The credentials that raibid's installer has written; nil when it has not.
  ///
  /// - Throws: `BackupError` when the file is there but cannot be used.
  func credentials() throws -> Credentials? {
    let path = credentialsPath
    do {
      guard let bytes = try FileTree.contents(of: path, limit: 1 << 20) else { return nil }
      return try JSONDecoder().decode(Credentials.self, from: Data(bytes))
    } catch let error as FileError {
      throw BackupError.settings(error)
    } catch DecodingError.typeMismatch(let type, let context) {
      let name = context.codingPath.map(\.stringValue).joined(separator: ".")
      let fact = name.isEmpty ? "it is not an object" : "\(name) is not a \(Self.words(type))"
      throw BackupError.settings(inFile: path, wrongType: fact)
    } catch is DecodingError {
      throw BackupError.settings(inFile: path, fact: "it is not JSON")
    }
  }

  private static func words(_ type: any Any.Type) -> String {
    type == Int.self ? "number" : "string"
  }
}

/// The file that raibid's own installer writes.
struct Credentials: Decodable, Sendable {
  let host: String?
  let port: Int?
  let password: String?
  let namespace: String?

  /// The password; nil where it is missing or empty.
  var givenPassword: [UInt8]? {
    password.flatMap { $0.isEmpty ? nil : Array($0.utf8) }
  }
}
