import GzipMembers
import Synchronization
import Testing
import Workers

/// How the stages go together: bounds, errors, cancellation.
@Suite struct FlowTests {
  struct Planned: Error, Equatable {
    let stage: String
  }

  private static let block = [UInt8](repeating: 5, count: 1 << 20)

  @Test(arguments: [1, 2, 4])
  func `a slow delivery holds up the reading`(threads: Int) async throws {
    let gauge = Gauge()
    let source = Source(Array(repeating: Self.block, count: 60))
    _ = try await compressMembers(level: 1, on: Workers(threadCount: threads)) {
      let piece = source.next()
      if piece != nil { gauge.enter() }
      return piece
    } tap: { _ in
    } deliver: { _ in
      for _ in 0..<50 { await Task.yield() }
      Gauge.spin()
      gauge.leave()
    }
    #expect(gauge.highest <= threads + 3)
  }

  @Test(arguments: [1, 2, 4])
  func `a slow tap holds up the reading`(threads: Int) async throws {
    let gauge = Gauge()
    let source = Source(Array(repeating: Self.block, count: 60))
    _ = try await compressMembers(level: 1, on: Workers(threadCount: threads)) {
      let piece = source.next()
      if piece != nil { gauge.enter() }
      return piece
    } tap: { _ in
      for _ in 0..<10 { Gauge.spin() }
      gauge.leave()
    } deliver: { _ in
    }
    #expect(gauge.highest <= threads + 3)
  }

  @Test(arguments: [1, 2, 4])
  func `a slow tap holds up the reading of an archive`(threads: Int) async throws {
    let members = try await compress([[1, 2, 3]])
    let gauge = try await Gauge.ofDecompression(
      Array(repeating: members[0], count: 500), threads: threads)
    #expect(gauge.highest <= 7)
  }

  @Test func `reading and delivery never run on the workers, the tap always does`() async throws {
    let workers = try Workers(threadCount: 1)
    let worker = await Task(executorPreference: workers) { ThreadIdentity.current }.value
    let source = Source(Array(repeating: Self.block, count: 5))
    let members = Sink()
    _ = try await compressMembers(level: 1, on: workers) {
      #expect(ThreadIdentity.current != worker)
      return source.next()
    } tap: { _ in
      #expect(ThreadIdentity.current == worker)
    } deliver: { member in
      #expect(ThreadIdentity.current != worker)
      members.append(member)
    }
    let archive = Source(members.pieces)
    _ = try await decompressMembers(on: workers) {
      #expect(ThreadIdentity.current != worker)
      return archive.next()
    } tap: { _ in
      #expect(ThreadIdentity.current == worker)
    }
  }

  @Test(arguments: ["next", "tap", "deliver"], Seed.fresh(8))
  func `the first error ends the compression and is thrown`(
    stage: String, seed: UInt64
  ) async throws {
    var random = SplitMix(seed: seed)
    let run = Run(failing: stage, atCall: Int.random(in: 1...12, using: &random))
    await #expect(throws: Planned(stage: stage)) { try await run.compress() }
    #expect(!run.isBusy)
  }

  @Test(arguments: ["next", "tap"], Seed.fresh(8))
  func `the first error ends the decompression and is thrown`(
    stage: String, seed: UInt64
  ) async throws {
    var random = SplitMix(seed: seed)
    let run = Run(failing: stage, atCall: Int.random(in: 1...12, using: &random))
    await #expect(throws: Planned(stage: stage)) {
      try await run.decompress(foreign: Bool.random(using: &random))
    }
    #expect(!run.isBusy)
  }

  @Test(arguments: ["tap", "deliver"])
  func `an error ends the call while the reading waits for more`(stage: String) async throws {
    let run = Run(failing: stage, atCall: 1, waitingAtCall: 4)
    await #expect(throws: Planned(stage: stage)) { try await run.compress() }
    #expect(!run.isBusy)
  }

  @Test func `an error ends the call while the delivery waits`() async throws {
    await #expect(throws: Planned(stage: "next")) {
      let source = Source([Self.block, Self.block])
      let (started, start) = AsyncStream<Void>.makeStream()
      _ = try await compressMembers(level: 1, on: Workers(threadCount: 2)) {
        if let piece = source.next() { return piece }
        for await _ in started { break }
        throw Planned(stage: "next")
      } tap: { _ in
      } deliver: { _ in
        start.yield()
        try await waitUntilCancelled()
      }
    }
  }

  @Test(arguments: ["next", "tap", "deliver"], Seed.fresh(8))
  func `cancelling ends the compression at any moment`(stage: String, seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    let run = Run(cancellingIn: stage, atCall: Int.random(in: 1...12, using: &random))
    await #expect(throws: CancellationError.self) { try await run.compress() }
    #expect(!run.isBusy)
  }

  @Test(arguments: ["next", "tap"], Seed.fresh(8))
  func `cancelling ends the decompression at any moment`(
    stage: String, seed: UInt64
  ) async throws {
    var random = SplitMix(seed: seed)
    let run = Run(cancellingIn: stage, atCall: Int.random(in: 1...12, using: &random))
    await #expect(throws: CancellationError.self) {
      try await run.decompress(foreign: Bool.random(using: &random))
    }
    #expect(!run.isBusy)
  }

  @Test func `cancelling ends a call whose reading waits`() async throws {
    let call = Task {
      try await decompressMembers(on: Workers(threadCount: 1)) {
        try await waitUntilCancelled()
        return nil
      } tap: { _ in
      }
    }
    call.cancel()
    await #expect(throws: CancellationError.self) { try await call.value }
  }
}
