import SystemPackage

/// A command of the user that is told how a run ended.
public struct Hook: Sendable {
  private let name: String
  private let command: String
  private let facts: [String: String]
  private let limit: Duration

  /// - Parameters:
  ///   - name: What messages call it.
  ///   - command: A line for `/bin/sh -c`; it reads nothing, and prints where errors go.
  ///   - facts: What is added to its environment, which holds no password of ours.
  ///   - limit: How long it may take.
  public init(name: String, command: String, facts: [String: String], limit: Duration) {
    self.name = name
    self.command = command
    self.facts = facts
    self.limit = limit
  }

  /// Runs it, waits for it alone, and lets what it leaves in the background live on.
  ///
  /// - Throws: ``TargetError`` when it ends with another status than 0 or takes too long; then, and on
  ///   cancellation, all that it has started is ended.
  public func run() async throws {
    var shell = ChildProcess(
      name: name, executable: "/bin/sh", arguments: ["-c", command], limit: .total(limit),
      variables: facts)
    shell.endsWithUs = true
    let status = try await shell.startDaemons(output: .standardError, error: .standardError).status
    guard status == 0 else {
      throw TargetError.commandFailed(name: name, status: status, message: "")
    }
  }

  /// Ends all that runs, at once: this process is about to end itself.
  public static func endAll() { ChildProcess.endGroups() }
}
