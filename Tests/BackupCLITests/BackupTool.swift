import FoundationEssentials
import Subprocess
import SystemPackage
import TestSupport

/// The program as a user runs it.
struct BackupTool: Sendable {
  /// What a run printed and how it ended.
  struct Outcome: Sendable, CustomStringConvertible {
    /// The exit code; 128 and the signal's number for a run that a signal ended.
    let status: Int32
    /// What stood on standard output.
    let output: String
    /// What stood on standard error.
    let error: String

    /// All of it, for the message of a failed test.
    var description: String { "exit \(status)\n\(output)\(error)" }

    /// The JSON that was printed.
    func json<Value: Decodable>(_ type: Value.Type) throws -> Value {
      try JSONDecoder().decode(type, from: Data(output.utf8))
    }
  }

  /// The built program, beside the test bundle.
  static var path: String {
    get throws {
      let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      return URL(filePath: bundle).deletingLastPathComponent().path + "/raibid-backup"
    }
  }

  /// Options that every run gets at its end.
  var options: [String] = []
  /// A program with its first arguments that runs this one, such as `setpriv --reuid 65534`.
  var wrapper: [String] = []
  /// What is changed in the environment; nil removes a variable.
  var environment: [String: String?] = [:]

  /// A tool with none of this user's settings.
  init(options: [String], home: String) {
    self.options = options
    environment = ["HOME": home, "REDISCLI_AUTH": nil, "KUBECONFIG": nil, "SSL_CERT_FILE": nil]
  }

  /// A tool for a real server, with its own archive directory.
  init(for server: RealServer, archives: String) {
    self.init(
      options: ["--target", "local", "--port", "\(server.port)", "--directory", archives],
      home: server.directory)
    environment["REDISCLI_AUTH"] = server.password
  }

  /// Runs the program to its end.
  ///
  /// - Parameters:
  ///   - plain: Whether ``options`` are left out.
  ///   - whileRunning: Gets the process as soon as it runs.
  func run(
    _ arguments: [String], plain: Bool = false,
    whileRunning: @Sendable (_ processID: Int32) async throws -> Void = { _ in }
  ) async throws -> Outcome {
    var changes: [Environment.Key: String?] = [:]
    for (name, value) in environment { changes[Environment.Key(stringLiteral: name)] = value }
    return try await withTemporaryDirectory { files in
      // Files and not pipes: a server that the tool has started may keep them open.
      let output = try Self.file(files + "/out")
      let error = try Self.file(files + "/err")
      let words = try wrapper + [Self.path] + arguments + (plain ? [] : options)
      let result = try await Subprocess.run(
        words[0].hasPrefix("/") ? .path(FilePath(words[0])) : .name(words[0]),
        arguments: Arguments(Array(words.dropFirst())),
        environment: .inherit.updating(changes), input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: true),
        error: .fileDescriptor(error, closeAfterSpawningProcess: true)
      ) { execution in
        try await whileRunning(execution.processIdentifier.value)
      }
      let status: Int32 =
        switch result.terminationStatus {
        case .exited(let code): code
        case .signaled(let number): 128 + number
        }
      return Outcome(
        status: status, output: try String(contentsOfFile: files + "/out", encoding: .utf8),
        error: try String(contentsOfFile: files + "/err", encoding: .utf8))
    }
  }

  /// Runs the program to its end.
  func callAsFunction(_ arguments: String...) async throws -> Outcome {
    try await run(arguments)
  }

  private static func file(_ path: String) throws -> FileDescriptor {
    try FileDescriptor.open(
      FilePath(path), .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
  }
}

extension BackupTool {
  /// The same, run by a user without rights; as it is where this user is not root.
  var asNobody: BackupTool {
    var tool = self
    if ProcessInfo.processInfo.userName == "root" {
      // The settings of this user are not readable then.
      tool.environment["HOME"] = "/"
      tool.wrapper = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    }
    return tool
  }
}
