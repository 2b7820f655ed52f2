import Synchronization

/// Takes the time of the parts of a run, by what it tells as its progress.
final class PhaseClock: Sendable {
  private struct State {
    let start = ContinuousClock.now
    var name: String?
    var began = ContinuousClock.now
    var names: [String] = []
    var spans: [String: Duration] = [:]
  }

  private let state = Mutex(State())

  /// A part has begun, and the one before it ended.
  func began(_ part: String) {
    state.withLock { state in
      Self.end(&state)
      state.name = String(part.map { $0 == " " ? "_" : $0 })
    }
  }

  /// All parts in the order of their beginning, and the whole as `total`, in seconds to a millisecond.
  func finish() -> [(name: String, seconds: Double)] {
    state.withLock { state in
      Self.end(&state)
      return state.names.map { ($0, Self.seconds(state.spans[$0] ?? .zero)) }
        + [("total", Self.seconds(.now - state.start))]
    }
  }

  private static func end(_ state: inout State) {
    let now = ContinuousClock.now
    if let name = state.name {
      if state.spans[name] == nil { state.names.append(name) }
      state.spans[name, default: .zero] += now - state.began
    }
    state.began = now
    state.name = nil
  }

  private static func seconds(_ span: Duration) -> Double {
    Double((span / .milliseconds(1)).rounded()) / 1000
  }
}
