import Glibc
import Operations
import Synchronization

/// Shows the progress of a command: one line that is written over on a terminal, steps with `--verbose`,
/// warnings unless the user wants none.
final class ProgressLine: Sendable {
  private struct State {
    var part = ""
    var began = ContinuousClock.now
    /// What was done when the part was first told of: it may go on where another has been.
    var doneBefore: UInt64?
    var lastShown: ContinuousClock.Instant?
    var isShown = false
    var warnings: Set<String> = []
  }

  private static let interval = Duration.milliseconds(100)

  private let options: OutputOptions
  private let showsLine: Bool
  private let phases: PhaseClock?
  private let state = Mutex(State())

  /// - Parameter phases: Takes the time of the parts that are reported.
  init(_ options: OutputOptions, phases: PhaseClock? = nil) {
    self.options = options
    self.phases = phases
    showsLine = Output.error.isTerminal && options.progress && !options.quiet && !options.verbose
  }

  /// What use cases report to.
  var report: ProgressReport { { self.take($0) } }

  /// Removes the line, so that other text can follow.
  func clear() {
    state.withLock { Self.clear(&$0) }
  }

  private func take(_ progress: Progress) {
    if case .began(let part) = progress { phases?.began(part) }
    state.withLock { state in
      switch progress {
      case .began(let part):
        state.part = part
        state.began = .now
        state.doneBefore = nil
        state.lastShown = nil
        if options.verbose { Output.error.write("\(part)\n") }
        show("", &state)
      case .bytes(let done, let total):
        if let before = state.doneBefore, done < before {
          // The next file of the same part.
          (state.doneBefore, state.began) = (nil, .now)
        }
        let before = state.doneBefore ?? done
        state.doneBefore = before
        show(Self.text(done, total, done - before, since: state.began), &state)
      case .fraction(let share): show("\(Int(share * 100)) %", &state)
      case .note(let text):
        if options.verbose { Output.error.write("\(text)\n") }
      case .warning(let text):
        // Every connection of a run may find the same.
        guard !options.quiet, state.warnings.insert(text).inserted else { return }
        Self.clear(&state)
        Output.error.write("\(Tool.name): warning: \(text)\n")
      }
    }
  }

  private func show(_ text: String, _ state: inout State) {
    guard showsLine else { return }
    let now = ContinuousClock.now
    if let last = state.lastShown, now - last < Self.interval { return }
    state.lastShown = now
    state.isShown = true
    Output.error.write("\r\u{1B}[K\(state.part) \(text)")
  }

  private static func clear(_ state: inout State) {
    if state.isShown { Output.error.write("\r\u{1B}[K") }
    state.isShown = false
  }

  private static func text(
    _ done: UInt64, _ total: UInt64?, _ doneSince: UInt64, since began: ContinuousClock.Instant
  ) -> String {
    let (seconds, attoseconds) = (ContinuousClock.now - began).components
    let elapsed = max(Double(seconds) + Double(attoseconds) / 1e18, 0.001)
    let rate = Double(doneSince) / elapsed
    var text = "\(Figures.bytes(done))"
    if let total { text += " of \(Figures.bytes(total))" }
    guard rate > 0 else { return text }
    text += ", \(Figures.bytes(UInt64(rate)))/s"
    if let total, total > done {
      text += ", \(Figures.duration(Double(total - done) / rate)) left"
    }
    return text
  }
}
