import Dispatch
import Glibc
import Operations
import Synchronization

/// Turns signals into cancellation, so that a command can put things right before it ends.
enum Signals {
  private static let handled: [(number: Int32, status: ExitStatus)] = [
    (SIGINT, .interrupted), (SIGTERM, .terminated), (SIGHUP, .hungUp),
  ]

  private static let first = Mutex<ExitStatus?>(nil)

  /// The status of the first signal that this process got; nil while there was none.
  static var received: ExitStatus? { first.withLock { $0 } }

  /// Runs a command; the first signal cancels it, a second one ends the process at once.
  ///
  /// - Returns: The status of the signal that made the command stop, or ``ExitStatus/done``.
  /// - Throws: What the command throws for other reasons.
  static func cancelling(
    _ command: @escaping @Sendable () async throws -> Void
  ) async throws -> ExitStatus {
    let heard = handled.filter { $0.number == SIGTERM || !isIgnored($0.number) }
    let (registrations, registered) = AsyncStream<Void>.makeStream()
    let task = Task {
      // A signal that comes before it would be heard ends the process, or is lost.
      for await _ in registrations.prefix(heard.count) {}
      try await command()
    }
    let sources = heard.map { number, status in
      // Ignored as a signal, it still arrives at the source.
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if take(status) { return task.cancel() }
        RunWatch.endCommands()
        _exit(status.rawValue)
      }
      source.setRegistrationHandler { registered.yield() }
      source.activate()
      return source
    }
    defer { for source in sources { source.cancel() } }
    do {
      try await task.value
      return .done
    } catch is CancellationError {
      return received ?? .interrupted
    }
  }

  /// Whether whoever started this process wants a signal ignored, as `nohup` does.
  private static func isIgnored(_ number: Int32) -> Bool {
    let before = signal(number, SIG_IGN)
    signal(number, before)
    return unsafe unsafeBitCast(before, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// - Returns: Whether it is the first one.
  private static func take(_ status: ExitStatus) -> Bool {
    first.withLock { first in
      guard first == nil else { return false }
      first = status
      return true
    }
  }
}
