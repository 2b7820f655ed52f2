import Synchronization
import Testing
import Workers

@testable import Operations

/// What is not about the bytes that go through a pipe, but about its end.
@Suite struct PipeTests {
  private struct Fault: Error {}

  @Test func `a pipe that fails while its ends wake each other ends`() async throws {
    let runs = 5000
    let ended = Mutex(0)
    // Threads of our own, so that two of them that block each other leave others to notice it.
    Task(executorPreference: try Workers()) {
      for run in 0..<runs {
        // The inner pipe is cancelled by the outer one, at another moment each time.
        await #expect(throws: Fault.self) {
          try await pipe { send in
            try await pipe { send in
              while true { try await send(1) }
            } to: { next in
              while let piece = try await next() { try await send(piece) }
            }
          } to: { next in
            for _ in 0..<(run % 40) { _ = try await next() }
            throw Fault()
          }
        }
        ended.withLock { $0 += 1 }
      }
    }
    // Two threads that wait for each other cannot be cancelled: they are only seen by nothing moving.
    var seen = -1
    var quietChecks = 0
    while seen < runs, quietChecks < 300 {
      try await Task.sleep(for: .milliseconds(100))
      let now = ended.withLock(\.self)
      quietChecks = now == seen ? quietChecks + 1 : 0
      seen = now
    }
    #expect(seen == runs, "it stood still after \(seen) runs")
  }
}
