import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage

/// The one place that knows how to call kubectl.
///
/// Each call is a child process in a group of its own that is gone when the call returns.
public struct Kubectl: Sendable {
  /// What a call that went well said.
  public struct Output: Sendable, Equatable {
    /// All of standard output.
    public var standardOutput: [UInt8]
    /// Beginning and end of standard error, 64 KiB at most.
    public var standardError: String
  }

  /// The namespace of all calls.
  public let namespace: String
  let executable: String
  let kubeconfig: String?
  let context: String?
  let isInsideCluster: Bool
  var timeout: Duration

  /// Creates a caller.
  ///
  /// - Parameters:
  ///   - executable: A name that is looked up in `PATH`, or a path.
  ///   - kubeconfig: Nil for kubectl's own rules (`KUBECONFIG`, `~/.kube/config`, the pod's account).
  ///   - context: Nil for the current one of the kubeconfig.
  ///   - isInsideCluster: Whether this process runs in a pod.
  ///   - timeout: The longest time for a call that only asks or orders; streams have their own.
  public init(
    executable: String = "kubectl", kubeconfig: String? = nil, context: String? = nil,
    namespace: String, isInsideCluster: Bool = false, timeout: Duration = .seconds(30)
  ) {
    self.executable = executable
    self.kubeconfig = kubeconfig
    self.context = context
    self.namespace = namespace
    self.isInsideCluster = isInsideCluster
    self.timeout = timeout
  }

  /// Runs kubectl with these arguments and returns what it said.
  ///
  /// - Parameter input: Bytes for its standard input; nil for none.
  /// - Throws: ``TargetError`` for any exit status but 0, more than 16 MiB of output, or no end
  ///   within the timeout.
  public func run(_ arguments: [String], input: [UInt8]? = nil) async throws -> Output {
    let child = try await child(
      arguments, input: input == nil ? .none : .pipe, limit: .total(timeout))
    let (output, ending) = try await child.run { running in
      if let input, try await running.write(input) { try await running.finishInput() }
      return try await running.remainingOutput(limit: 16 << 20, what: child.name)
    }
    guard ending.status == 0 else { throw failure(ending, of: child.name) }
    return Output(standardOutput: output, standardError: ending.standardError)
  }

  /// Runs kubectl with these arguments and `--output=json`, and decodes what it said.
  ///
  /// - Throws: As ``run(_:input:)``, and ``TargetError/unexpectedAnswer(what:message:)``.
  public func json<Value: Decodable>(
    _ arguments: [String], as type: Value.Type = Value.self
  ) async throws -> Value {
    // With a timeout kubectl does not look for the account of the pod that it is in.
    let limit = isInsideCluster ? [] : ["--request-timeout=\(Int(timeout.secondCount / 2) + 1)s"]
    let output = try await run(arguments + ["--output=json"] + limit)
    do {
      return try JSONDecoder().decode(type, from: Data(output.standardOutput))
    } catch let error as DecodingError {
      // The values stay out of the message: they may be those of a Secret.
      throw TargetError.unexpectedAnswer(what: name(of: arguments), message: error.place)
    }
  }

  /// Returns the value of a key in a Secret, byte for byte; nil when there is no such Secret or key.
  public func secret(_ name: String, key: String) async throws -> [UInt8]? {
    struct Secret: Decodable {
      var data: [String: String]?
    }
    let secret: Secret
    do {
      secret = try await json(["get", "secret/\(name)"])
    } catch TargetError.commandFailed(_, _, let message) where message.contains("(NotFound)") {
      return nil
    }
    guard let value = secret.data?[key] else { return nil }
    guard let bytes = Data(base64Encoded: value) else {
      throw TargetError.unexpectedAnswer(what: "kubectl get secret", message: "not base64")
    }
    return Array(bytes)
  }

  /// Returns the name of the context that calls use, nil when there is none (inside a pod).
  public func currentContext() async throws -> String? {
    if let context { return context }
    do {
      let output = try await run(["config", "current-context"])
      let name = String(decoding: output.standardOutput, as: UTF8.self).trimmed
      return name.isEmpty ? nil : name
    } catch TargetError.commandFailed {
      return nil
    }
  }

  /// What a call is named in messages: never more than the verb, arguments may be long.
  func name(of arguments: [String]) -> String {
    "kubectl \(arguments.first ?? "")"
  }

  /// The child process of a call.
  func child(
    _ arguments: [String], input: ChildProcess.Input = .none, limit: WaitLimit
  ) async throws -> ChildProcess {
    ChildProcess(
      name: name(of: arguments), executable: try await executablePath(),
      arguments: globalArguments + arguments, limit: limit, input: input)
  }

  func executablePath() async throws -> FilePath {
    guard !executable.contains("/") else {
      guard unsafe access(executable, X_OK) == 0 else {
        throw TargetError.toolMissing(name: executable)
      }
      return FilePath(executable)
    }
    return try await ChildProcess.find(executable)
  }

  var globalArguments: [String] {
    var arguments = ["--namespace=\(namespace)"]
    if let kubeconfig { arguments.append("--kubeconfig=\(kubeconfig)") }
    if let context { arguments.append("--context=\(context)") }
    return arguments
  }
}

extension DecodingError {
  /// Where the value is that is missing or of another type, without the value.
  fileprivate var place: String {
    let context: Context? =
      switch self {
      case .typeMismatch(_, let context), .valueNotFound(_, let context),
        .keyNotFound(_, let context), .dataCorrupted(let context):
        context
      @unknown default: nil
      }
    let path = (context?.codingPath ?? []).map(\.stringValue).joined(separator: ".")
    return path.isEmpty ? "not the expected JSON" : "unexpected value at \(path)"
  }
}

extension String {
  /// The text without white space at both ends.
  var trimmed: String {
    guard let start = firstIndex(where: { !$0.isWhitespace }),
      let end = lastIndex(where: { !$0.isWhitespace })
    else { return "" }
    return String(self[start...end])
  }
}
