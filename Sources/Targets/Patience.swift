import Synchronization

/// How long a child process may keep silent, or take in all.
enum WaitLimit {
  /// The longest time without a byte in either direction.
  case silence(Duration)
  /// The longest time in all.
  case total(Duration)

  var duration: Duration {
    switch self {
    case .silence(let duration), .total(let duration): duration
    }
  }
}

/// The clock that a wait for a child process runs against.
final class Patience: Sendable {
  private struct State {
    var limit: WaitLimit
    var deadline: ContinuousClock.Instant
    var isPaused = false
    var isExhausted = false
  }

  private let state: Mutex<State>

  init(_ limit: WaitLimit) {
    state = Mutex(State(limit: limit, deadline: .now + limit.duration))
  }

  /// What was waited for, when the time is over.
  var exhaustedLimit: Duration? {
    state.withLock { $0.isExhausted ? $0.limit.duration : nil }
  }

  /// Something moved.
  func renew() {
    state.withLock { state in
      if case .silence(let duration) = state.limit { state.deadline = .now + duration }
    }
  }

  /// Allows a silence of another length from now on.
  func renew(allowing duration: Duration) {
    state.withLock { state in
      state.limit = .silence(duration)
      state.deadline = .now + duration
    }
  }

  /// Stops the clock while the silence is our own.
  func pause() {
    state.withLock { state in
      if case .silence = state.limit { state.isPaused = true }
    }
  }

  func resume() {
    state.withLock { state in
      guard state.isPaused else { return }
      state.isPaused = false
      state.deadline = .now + state.limit.duration
    }
  }

  /// Returns true when the time is over, false when the task was cancelled before.
  func waitUntilExhausted() async -> Bool {
    var passed: ContinuousClock.Instant?
    while !Task.isCancelled {
      let (deadline, isExhausted, step) = state.withLock { state in
        let isOver = !state.isPaused && state.deadline <= .now
        // Seen twice, so that a host that slept or was busy can first take what has arrived.
        if isOver, state.deadline == passed { state.isExhausted = true }
        passed = isOver ? state.deadline : nil
        return (state.deadline, state.isExhausted, min(state.limit.duration / 8, .seconds(1)))
      }
      if isExhausted { return true }
      do {
        // While the clock is paused, or runs again, the deadline moves: look again in small steps.
        try await Task.sleep(until: max(deadline, .now + step), clock: .continuous)
      } catch {
        return false
      }
    }
    return false
  }
}
