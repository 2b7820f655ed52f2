import Glibc
import GzipMembers
import Synchronization
import Workers

/// A run without end, with a stage that fails or cancels the whole at one of its calls.
final class Run: Sendable {
  private let stage: String
  private let call: Int
  private let cancels: Bool
  private let waitingCall: Int
  private let counts = Mutex<[String: Int]>([:])
  private let busy = Atomic(0)
  private let task = Mutex<Task<GzipMembersResult, any Error>?>(nil)

  init(failing stage: String, atCall call: Int, waitingAtCall waitingCall: Int = Int.max) {
    (self.stage, self.call, self.waitingCall) = (stage, call, waitingCall)
    cancels = false
  }

  init(cancellingIn stage: String, atCall call: Int) {
    (self.stage, self.call, waitingCall) = (stage, call, Int.max)
    cancels = true
  }

  /// Whether a closure is running; none must be when the call has ended.
  var isBusy: Bool { busy.load(ordering: .sequentiallyConsistent) != 0 }

  func compress() async throws {
    var random = SplitMix(seed: 9)
    let piece = [UInt8].mixed(700_000, using: &random)
    try await perform {
      try await compressMembers(level: 1, on: Workers(threadCount: 2)) {
        try self.enter("next")
        defer { self.leave() }
        if self.counts.withLock({ $0["next"] == self.waitingCall }) {
          try await waitUntilCancelled()
        }
        return piece
      } tap: { _ in
        try self.enter("tap")
        self.leave()
      } deliver: { _ in
        try self.enter("deliver")
        await Task.yield()
        self.leave()
      }
    }
  }

  func decompress(foreign: Bool) async throws {
    var random = SplitMix(seed: 9)
    let block = [UInt8].mixed(700_000, using: &random)
    let member: [UInt8]
    if foreign {
      member = try Gzip.run("-c", block).bytes
    } else {
      member = try await GzipMembersTests.compress([block])[0]
    }
    try await perform {
      try await decompressMembers(on: Workers(threadCount: 2)) {
        try self.enter("next")
        defer { self.leave() }
        return member
      } tap: { _ in
        try self.enter("tap")
        self.leave()
      }
    }
  }

  private func perform(
    _ body: @escaping @Sendable () async throws -> GzipMembersResult
  ) async throws {
    let started = AsyncStream<Void>.makeStream()
    let task = Task {
      for await _ in started.stream { break }
      return try await body()
    }
    self.task.withLock { $0 = task }
    started.continuation.yield()
    _ = try await task.value
  }

  private func enter(_ name: String) throws {
    busy.add(1, ordering: .sequentiallyConsistent)
    let count = counts.withLock { counts in
      counts[name, default: 0] += 1
      return counts[name]
    }
    guard name == stage, count == call else { return }
    if cancels {
      task.withLock { $0?.cancel() }
    } else {
      leave()
      throw FlowTests.Planned(stage: name)
    }
  }

  private func leave() {
    busy.subtract(1, ordering: .sequentiallyConsistent)
  }
}

/// Waits for nothing else than the cancellation of this task.
func waitUntilCancelled() async throws {
  let never = AsyncStream<Void>.makeStream()
  for await _ in never.stream {}
  throw CancellationError()
}

/// Tells threads apart.
struct ThreadIdentity: Equatable {
  private let thread: pthread_t

  static var current: ThreadIdentity { ThreadIdentity(thread: pthread_self()) }
}
