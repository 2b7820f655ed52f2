import Monitoring
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
  /// The file with the authorities that its certificate may be of; nil for the system's.
  public var authorityFile: String?
  /// Whether the environment names a proxy, which a heartbeat does not use.
  public var hasProxy = false
  /// A line for a shell after a run that did what it promises.
  public var successCommand: String?
  /// A line for a shell after one that did not.
  public var failureCommand: String?
  /// How long such a line may take.
  public var commandLimit = Duration.seconds(600)
  /// Takes warnings.
  public var report: ProgressReport
  /// Whether the monitor is told how the run ends.
  private var isTold = true

  /// A watch that tells nobody.
  public init(report: @escaping ProgressReport) {
    self.report = report
  }

  /// Whether a monitor can be told at a URL: `http` or `https`, and a host.
  public static func isUsable(heartbeatURL: String) -> Bool {
    Heartbeat(url: heartbeatURL) != nil
  }

  /// Ends the commands that run, at once: this process is about to end itself.
  public static func endCommands() { Hook.endAll() }

  /// The run begins.
  public mutating func begin() async {
    isTold = await send(.start, text: "")
  }

  /// The run has ended. Where a signal has ended it, or comes now, it is told nevertheless; but not to a
  /// monitor that had not even taken the beginning by then.
  public func end(_ ending: Ending) async {
    if isTold {
      // Before the command, which may take long. A task of its own is not cancelled.
      await Task {
        _ = await send(ending.isSuccess ? .success : .failure, text: ending.text)
      }.value
    }
    guard let command = ending.isSuccess ? successCommand : failureCommand else { return }
    let option = ending.isSuccess ? "--on-success" : "--on-failure"
    let isLate = Task.isCancelled
    let hook = Hook(
      name: "the command of \(option)", command: command, facts: ending.facts,
      limit: isLate ? min(commandLimit, Self.limitAfterSignal) : commandLimit)
    do {
      if isLate { try await Task { try await hook.run() }.value } else { try await hook.run() }
    } catch {
      report(.warning(BackupError.hookFailed(option, error)))
    }
  }

  /// - Returns: False where a signal came first.
  private func send(_ event: Heartbeat.Event, text: String) async -> Bool {
    guard let heartbeatURL,
      let heartbeat = Heartbeat(url: heartbeatURL, authorityFile: authorityFile)
    else { return true }
    do {
      try await heartbeat.send(event, text: text)
    } catch is CancellationError {
      return false
    } catch {
      report(.warning(BackupError.heartbeatFailed(heartbeatURL, error, hasProxy)))
    }
    return true
  }
}
