import RedisClient
import Targets
import Testing

@testable import Operations

@Suite struct RetryPolicyTests {
  private typealias Fault = RetryPolicy.Fault

  @Test func `what breaks is tried again three times, with longer and longer pauses`() {
    var policy = RetryPolicy()
    let pauses = (0..<4).map { policy.pause(after: .transport, at: .seconds($0)) }
    #expect(pauses == [.seconds(1), .seconds(4), .seconds(16), nil])
  }

  @Test func `a stall is tried again once, and leaves other faults their tries`() {
    var policy = RetryPolicy()
    #expect(policy.pause(after: .stall, at: .seconds(900)) == .seconds(1))
    #expect(policy.pause(after: .transport, at: .seconds(901)) == .seconds(1))
    #expect(policy.pause(after: .transport, at: .seconds(902)) == .seconds(4))
    #expect(policy.pause(after: .stall, at: .seconds(903)) == nil)
  }

  @Test func `nothing is tried again later than a minute after the first failure`() {
    var policy = RetryPolicy()
    #expect(policy.pause(after: .transport, at: .seconds(600)) == .seconds(1))
    #expect(policy.pause(after: .transport, at: .seconds(656)) == .seconds(4))
    #expect(policy.pause(after: .transport, at: .seconds(656)) == nil)
    var late = RetryPolicy()
    #expect(late.pause(after: .transport, at: .zero) == .seconds(1))
    #expect(late.pause(after: .stall, at: .seconds(60)) == nil)
  }

  @Test func `a server that loads is an answer, unless something had failed before`() {
    var policy = RetryPolicy()
    #expect(policy.pause(after: .notBack, at: .zero) == nil)
    #expect(policy.pause(after: .transport, at: .zero) == .seconds(1))
    #expect(policy.pause(after: .notBack, at: .seconds(2)) == .seconds(4))
  }

  private static let failures: [(any Error, Fault?)] = [
    (RedisError.timedOut(command: "INFO", after: .seconds(60)), .stall),
    (RedisError.connectionClosed(command: "SYNC"), .transport),
    (RedisError.dumpCutShort(received: 1, expected: nil), .transport),
    (RedisError.server(RedisServerError("LOADING Redis is loading")), .notBack),
    (RedisError.server(RedisServerError("NOPERM no")), nil),
    (RedisError.passwordRequired, nil),
    (TargetError.stalled(what: "kubectl cp", seconds: 15), .stall),
    (TargetError.cutShort(path: "/d", expected: 2, received: 1), .transport),
    (TargetError.changedWhileReading(path: "/d"), .transport),
    (TargetError.podNotFound(namespace: "n", pod: "p"), .transport),
    (TargetError.noPod(namespace: "n", that: "matches a=b"), .transport),
    (TargetError.fileNotFound(path: "/d"), nil),
    (TargetError.forbidden(message: "no"), nil),
    (TargetError.noSpace(path: "/d"), nil),
    (SaveFailure.childFailed, nil),
    (SaveFailure.stalled(.seconds(60)), nil),
    (ServerIsLoading(percent: 7), .notBack),
    (ServerChanged(fact: "it is another"), .transport),
    (
      PrimaryUnclear(choice: .selector("a=b"), found: [], isNone: true, isReached: true), .notBack
    ),
    (BackupError.dumpPlaceUnknown(), nil),
  ]

  @Test(arguments: 0..<failures.count)
  func `what can pass is told from what would come again`(index: Int) {
    let (error, fault) = Self.failures[index]
    #expect(Fault(error) == fault, "\(error)")
  }
}
