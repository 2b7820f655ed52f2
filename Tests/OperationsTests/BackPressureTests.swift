import Files
import FoundationEssentials
import Glibc
import GzipMembers
import Synchronization
import TestSupport
import Testing
import Workers

@testable import Operations

/// Nothing is read that the disk cannot take: the way of a dump through `create`.
@Suite struct BackPressureTests {
  private static let block = [UInt8](repeating: 7, count: 1 << 20)

  @Test func `a consumer that takes its time holds up the producer`() async throws {
    let ahead = Gauge()
    try await pipe { send in
      for piece in 0..<100 {
        ahead.add(1)
        try await send(piece)
      }
    } to: { next in
      while try await next() != nil {
        for _ in 0..<20 { await Task.yield() }
        ahead.add(-1)
      }
    }
    // Two in the pipe, one at either end.
    #expect(ahead.highest <= 4)
  }

  @Test(arguments: [1, 2, 4])
  func `a slow disk never grows a queue`(threads: Int) async throws {
    try await withTemporaryDirectory { directory in
      let path = directory + "/slow"
      try #require(unsafe mkfifo(path, 0o600) == 0)
      let ahead = Gauge()
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await Self.readSlowly(path) }
        group.addTask {
          try await Self.compress(blocks: 60, threads: threads, into: path, counting: ahead)
        }
        try await group.waitForAll()
      }
      // What the compression may hold, and what is in the pipe before it and at its ends.
      #expect(ahead.highest <= threads + 3 + 3)
    }
  }

  private static func compress(
    blocks: Int, threads: Int, into path: String, counting ahead: Gauge
  ) async throws {
    let disk = try OpenFile(appending: path)
    try await pipe { send in
      for _ in 0..<blocks {
        ahead.add(1)
        try await send(block)
      }
    } to: { next in
      try await compressMembers(
        level: 1, on: Workers(threadCount: threads), from: next, tap: { _ in },
        deliver: { member in
          try disk.write(member)
          ahead.add(-1)
        })
    }
  }

  /// Takes a few bytes at a time, so that the pipe of the system is always full.
  private static func readSlowly(_ path: String) async throws {
    // As long as nobody has it open for writing, it counts as ended.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 512)
    while unsafe read(descriptor, &bytes, bytes.count) > 0 {
      for _ in 0..<20 { await Task.yield() }
    }
  }
}

/// Counts what is under way.
private final class Gauge: Sendable {
  private let counts = Mutex((now: 0, highest: 0))

  func add(_ count: Int) {
    counts.withLock {
      $0.now += count
      $0.highest = max($0.highest, $0.now)
    }
  }

  var highest: Int { counts.withLock { $0.highest } }
}
