import Synchronization

/// Runs a producer of pieces and a consumer of them side by side, with a few pieces between them.
///
/// The producer waits when the consumer is slower, so that memory stays flat. When one of them fails, or
/// the task is cancelled, both end; the first failure is the one thrown.
/// - Parameters:
///   - produce: Hands each piece to its argument; its return is the end of them.
///   - consume: Asks its argument for the next piece until that gives nil.
/// - Returns: What `consume` returned.
@discardableResult
func pipe<Piece: Sendable, Result: Sendable>(
  from produce:
    @escaping @Sendable (_ send: @escaping @Sendable (Piece) async throws -> Void)
    async throws -> Void,
  to consume:
    @escaping @Sendable (_ next: @escaping @Sendable () async throws -> Piece?)
    async throws -> Result
) async throws -> Result {
  let channel = PieceChannel<Piece>(capacity: 2)
  return try await withThrowingTaskGroup(of: Result?.self) { group in
    group.addTask {
      do {
        try await produce { try await channel.send($0) }
      } catch {
        channel.finish(throwing: error)
        throw error
      }
      channel.finish(throwing: nil)
      return nil
    }
    group.addTask { try await consume { try await channel.next() } }
    var result: Result?
    while let finished = try await group.next() {
      if let finished { result = finished }
    }
    guard let result else { throw CancellationError() }
    return result
  }
}

/// A queue with one sender and one receiver.
///
/// Nobody is woken under its lock: waking takes the lock of the task that waits, under which a cancelled
/// task asks for this one.
private final class PieceChannel<Piece: Sendable>: Sendable {
  private enum Ending {
    case open
    case finished((any Error)?)
  }

  private struct State {
    var pieces: [Piece] = []
    var ending = Ending.open
    var waiting: CheckedContinuation<Void, Never>?
  }

  private let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int) {
    self.capacity = capacity
  }

  func send(_ piece: Piece) async throws {
    while true {
      try Task.checkCancellation()
      let accepted = change { state in
        guard state.pieces.count < capacity else { return false }
        state.pieces.append(piece)
        return true
      }
      if accepted { return }
      await wait { $0.pieces.count >= self.capacity }
    }
  }

  func next() async throws -> Piece? {
    while true {
      try Task.checkCancellation()
      let (piece, ending) = change { state -> (Piece?, Ending) in
        guard let first = state.pieces.first else { return (nil, state.ending) }
        state.pieces.removeFirst()
        return (first, .open)
      }
      if let piece { return piece }
      if case .finished(let error) = ending {
        if let error { throw error }
        return nil
      }
      await wait { state in
        guard case .open = state.ending else { return false }
        return state.pieces.isEmpty
      }
    }
  }

  func finish(throwing error: (any Error)?) {
    change { $0.ending = .finished(error) }
  }

  /// Waits for a change while a condition holds; only one side can have to wait at a time, since the
  /// queue cannot be full and empty at once.
  private func wait(while condition: @escaping @Sendable (State) -> Bool) async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mustWait = state.withLock { state in
          guard condition(state), !Task.isCancelled else { return false }
          state.waiting = continuation
          return true
        }
        if !mustWait { continuation.resume() }
      }
    } onCancel: {
      change { _ in }
    }
  }

  /// Changes the state, and wakes whoever waits for that to look at it again.
  private func change<Result>(_ body: (inout State) -> Result) -> Result {
    let (result, waiting) = state.withLock { state in
      let result = body(&state)
      defer { state.waiting = nil }
      return (result, state.waiting)
    }
    waiting?.resume()
    return result
  }
}
