import Synchronization

/// The figures of a stream, counted by the stages that see the bytes.
final class Tally: Sendable {
  private let counts = Mutex((inputByteCount: UInt64(0), outputByteCount: UInt64(0), members: 0))

  func addInput(_ bytes: [UInt8]) {
    counts.withLock { $0.inputByteCount += UInt64(bytes.count) }
  }

  func addOutput(_ bytes: [UInt8]) {
    counts.withLock { $0.outputByteCount += UInt64(bytes.count) }
  }

  func addMember() {
    counts.withLock { $0.members += 1 }
  }

  var result: GzipMembersResult {
    counts.withLock {
      GzipMembersResult(
        inputByteCount: $0.inputByteCount, outputByteCount: $0.outputByteCount,
        memberCount: $0.members)
    }
  }
}
