import Synchronization

/// Runs a producer of bytes and a consumer of bytes side by side, with a few pieces between them.
///
/// The producer waits when the consumer is slower, so that memory stays flat. When one of them fails, or
/// the task is cancelled, both end; the first failure is the one thrown.
/// - Parameters:
///   - produce: Hands each piece to its argument; its return is the end of the bytes.
///   - consume: Asks its argument for the next piece until that gives nil.
/// - Returns: What `consume` returned.
@discardableResult
func pipe<Result: Sendable>(
  from produce:
    @escaping @Sendable (_ send: @escaping @Sendable ([UInt8]) async throws -> Void)
    async throws -> Void,
  to consume:
    @escaping @Sendable (_ next: @escaping @Sendable () async throws -> [UInt8]?)
    async throws -> Result
) async throws -> Result {
  let channel = ByteChannel(capacity: 4)
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

/// A queue of byte arrays with one sender and one receiver.
private final class ByteChannel: Sendable {
  private enum Ending {
    case open
    case finished((any Error)?)
  }

  private struct State {
    var pieces: [[UInt8]] = []
    var ending = Ending.open
    var waiting: CheckedContinuation<Void, Never>?
  }

  private let capacity: Int
  private let state = Mutex(State())

  init(capacity: Int) {
    self.capacity = capacity
  }

  func send(_ piece: [UInt8]) async throws {
    while true {
      try Task.checkCancellation()
      let accepted = state.withLock { state in
        guard state.pieces.count < capacity else { return false }
        state.pieces.append(piece)
        Self.wake(&state)
        return true
      }
      if accepted { return }
      await wait { $0.pieces.count >= self.capacity }
    }
  }

  func next() async throws -> [UInt8]? {
    while true {
      try Task.checkCancellation()
      let (piece, ending) = state.withLock { state -> ([UInt8]?, Ending) in
        guard let first = state.pieces.first else { return (nil, state.ending) }
        state.pieces.removeFirst()
        Self.wake(&state)
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
    state.withLock { state in
      state.ending = .finished(error)
      Self.wake(&state)
    }
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
      state.withLock { Self.wake(&$0) }
    }
  }

  private static func wake(_ state: inout State) {
    state.waiting?.resume()
    state.waiting = nil
  }
}
