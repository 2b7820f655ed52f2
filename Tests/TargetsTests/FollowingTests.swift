import FoundationEssentials
import Glibc
import Synchronization
import Testing

@testable import Targets

/// Reading a dump while a server writes it.
@Suite struct FollowingTests {
  private let random = (0..<1_500_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }

  @Test func `a dump is delivered while it is written, and known once it has its name`()
    async throws
  {
    try await Following.run { following in
      following.append(random[..<700_000], to: "temp-12.rdb")
      try await following.waitForBytes(256 << 10)
      following.append(random[700_000...], to: "temp-12.rdb")
      following.put("temp-12.rdb", at: "dump.rdb")
    } then: { outcome, delivered in
      #expect(outcome == .whole)
      #expect(delivered == random)
    }
  }

  @Test func `what does not become the dump is no dump`() async throws {
    try await Following.run { following in
      following.append(random[...], to: "temp-12.rdb")
      try await following.waitForBytes(256 << 10)
      following.append(random[...], to: "temp-13.rdb")
      following.put("temp-13.rdb", at: "dump.rdb")
    } then: { outcome, delivered in
      #expect(outcome == .other)
      #expect(delivered == random)
    }
  }

  @Test func `a dump that is gone in the end, as when its save has failed, is no dump`()
    async throws
  {
    try await Following.run { following in
      following.append(random[...], to: "temp-12.rdb")
      try await following.waitForBytes(256 << 10)
      following.remove("temp-12.rdb")
    } then: { outcome, _ in
      #expect(outcome == .other)
    }
  }

  @Test(arguments: [
    "temp-rewriteaof-bg-12.aof", "temp-1.2.rdb", "temp-.rdb", "temp-12.rdb.old", "old",
  ])
  func `files of other names are not read`(name: String) async throws {
    try await Following.run { following in
      following.append(random[...], to: name)
      following.put(name, at: "dump.rdb")
    } then: { outcome, delivered in
      #expect(outcome == .nothing)
      #expect(delivered == [])
    }
  }

  @Test func `what was begun before the server was asked is not read`() async throws {
    try await Following.run(before: { $0.append(random[...], to: "temp-12.rdb") }) { following in
      following.append(random[...], to: "temp-12.rdb")
      following.put("temp-12.rdb", at: "dump.rdb")
    } then: { outcome, delivered in
      #expect(outcome == .nothing)
      #expect(delivered == [])
    }
  }

  @Test func `a link is not followed`() async throws {
    try await Following.run { following in
      following.append(random[...], to: "secret")
      following.link("secret", as: "temp-12.rdb")
    } then: { outcome, delivered in
      #expect(outcome == .nothing)
      #expect(delivered == [])
    }
  }

  @Test func `one that is cancelled ends at once`() async throws {
    try await Scratch.withFolder { folder in
      let watch = try ReplacementWatch(folder + "/dump.rdb")
      let task = Task { try await watch.follow(while: { true }) { _ in } }
      task.cancel()
      await #expect(throws: CancellationError.self) { try await task.value }
    }
  }
}

/// A directory in which a server writes, and what is read there meanwhile.
private final class Following: Sendable {
  private let folder: String
  private let delivered = Mutex<[UInt8]>([])
  private let isWaited = Mutex(true)

  private init(_ folder: String) {
    self.folder = folder
  }

  /// Follows what `write` does after the server was asked, until it returns.
  static func run(
    before: (Following) -> Void = { _ in }, write: (Following) async throws -> Void,
    then: (ReplacementWatch.Following, [UInt8]) -> Void
  ) async throws {
    try await Scratch.withFolder { folder in
      let following = Following(folder)
      let watch = try ReplacementWatch(folder + "/dump.rdb")
      before(following)
      try watch.reset()
      let task = Task {
        try await watch.follow(while: { following.isWaited.withLock { $0 } }) { piece in
          following.delivered.withLock { $0 += piece }
        }
      }
      do {
        try await write(following)
      } catch {
        task.cancel()
        throw error
      }
      following.isWaited.withLock { $0 = false }
      then(try await task.value, following.delivered.withLock { $0 })
    }
  }

  func append(_ bytes: ArraySlice<UInt8>, to name: String) {
    let descriptor = unsafe open(path(name), O_WRONLY | O_CREAT | O_APPEND, 0o600)
    defer { close(descriptor) }
    let written = unsafe bytes.withUnsafeBytes {
      unsafe write(descriptor, $0.baseAddress, $0.count)
    }
    #expect(written == bytes.count)
  }

  func put(_ name: String, at newName: String) {
    #expect(unsafe rename(path(name), path(newName)) == 0)
  }

  func remove(_ name: String) {
    #expect(unsafe unlink(path(name)) == 0)
  }

  func link(_ name: String, as newName: String) {
    #expect(unsafe symlink(path(name), path(newName)) == 0)
  }

  func waitForBytes(_ byteCount: Int) async throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while delivered.withLock({ $0.count }) < byteCount {
      try #require(ContinuousClock.now < deadline, "nothing is delivered")
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private func path(_ name: String) -> String { folder + "/" + name }
}
