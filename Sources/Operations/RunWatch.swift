import Targets

/// Tells those who watch over a run how it goes; nothing of it decides the run.
public struct RunWatch: Sendable {
  /// How a run ended.
  public struct Ending: Sendable {
    /// Whether it did what it promises.
    public var isSuccess: Bool
    /// What commands find in their environment.
    public var facts: [String: String]
    /// The same for a person who reads the monitor.
    public var text: String

    /// Creates an ending.
    public init(isSuccess: Bool, facts: [String: String], text: String) {
      self.isSuccess = isSuccess
      self.facts = facts
      self.text = text
    }
  }

  /// A run that a signal has ended must be gone soon.
  private static let limitAfterSignal = Duration.seconds(30)

  /// The URL of the monitor, a secret.
  public var heartbeatURL: String?
  /// A line for a shell after a run that did what it promises.
  public var successCommand: String?
  /// A line for a shell after one that did not.
  public var failureCommand: String?
  /// How long such a line may take.
  public var commandLimit = Duration.seconds(600)
  /// Takes warnings.
  public var report: ProgressReport

  /// A watch that tells nobody.
  public init(report: @escaping ProgressReport) {
    self.report = report
  }

  /// The run begins.
  public func begin() async {
    await send(.start, text: "")
  }

  /// The run has ended. Where a signal has ended it, it is told nevertheless.
  public func end(_ ending: Ending) async {
    guard Task.isCancelled else { return await tell(ending, limit: commandLimit) }
    let limit = min(commandLimit, Self.limitAfterSignal)
    await Task { await tell(ending, limit: limit) }.value
  }

  private func tell(_ ending: Ending, limit: Duration) async {
    // Before the command, which may take long.
    await send(ending.isSuccess ? .success : .failure, text: ending.text)
    guard let command = ending.isSuccess ? successCommand : failureCommand else { return }
    let option = ending.isSuccess ? "--on-success" : "--on-failure"
    do {
      try await Hook(
        name: "the command of \(option)", command: command, facts: ending.facts, limit: limit
      ).run()
    } catch {
      report(.warning(BackupError.hookFailed(option, error)))
    }
  }

  private func send(_ event: Heartbeat.Event, text: String) async {
    guard let heartbeatURL else { return }
    do {
      try await Heartbeat(url: heartbeatURL).send(event, text: text)
    } catch {
      report(.warning(BackupError.heartbeatFailed(heartbeatURL, error)))
    }
  }
}
