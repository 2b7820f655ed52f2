import RedisClient
import TestSupport
import Testing

@testable import Operations
@testable import RDBFormat

struct RestoreKeysTests {
  @Test(arguments: Seed.fresh(200))
  func `any split of a dump cuts the same ranges out`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let bytes = (0..<300).map { UInt8(truncatingIfNeeded: $0) }
    var ranges: [Range<UInt64>] = []
    var end: UInt64 = 0
    while let start = Optional(end + UInt64.random(in: 0...20, using: &random)), start < 280 {
      end = start + UInt64.random(in: 1...20, using: &random)
      ranges.append(start..<end)
    }
    var cutter = PayloadCutter(ranges)
    var cut: [[UInt8]] = []
    var endings = 0
    var position = 0
    while position < bytes.count {
      let count = min(Int.random(in: 0...40, using: &random), bytes.count - position)
      let block = bytes[position..<position + count]
      for piece in cutter.cut(blockOf: count) {
        switch piece {
        case .begin(let index):
          #expect(index == cut.count)
          cut.append([])
        case .bytes(let range):
          cut[cut.count - 1] += block[position + range.lowerBound..<position + range.upperBound]
        case .end(let index):
          #expect(index == endings && index == cut.count - 1)
          endings += 1
        }
      }
      position += count
    }
    #expect(cutter.isDone && endings == ranges.count)
    #expect(cut == ranges.map { Array(bytes[Int($0.lowerBound)..<Int($0.upperBound)]) })
  }

  @Test func `expiry times are kept, moved by the age, or dropped`() {
    #expect(ExpiryRule.keep.applied(to: 1_000, age: 50) == 1_000)
    #expect(ExpiryRule.extend.applied(to: 1_000, age: 50) == 1_050)
    #expect(ExpiryRule.extend.applied(to: 1_000, age: -50) == 1_000)
    #expect(ExpiryRule.extend.applied(to: .max - 1, age: 50) == .max)
    #expect(ExpiryRule.drop.applied(to: 1_000, age: 50) == nil)
    for rule in ExpiryRule.allCases { #expect(rule.applied(to: nil, age: 50) == nil) }
  }

  /// A plan for one key of a backup that was written 100 seconds before.
  private func plan(
    _ expiresAt: Int64?, _ rule: ExpiryRule = .keep, isThere: Bool = false, replaces: Bool = true
  ) -> RestoreKeysPlan {
    let key = RDBKey(
      database: 0, key: [107], type: .string, encoding: "raw", bytes: 10, elements: 1,
      expiresAt: expiresAt, isCut: false,
      value: RDBKey.Value(
        typeCode: 0, range: 20..<25, idleSeconds: nil, useFrequency: nil, hasMetadata: false))
    let summary = RDBSummary(
      format: .redis, version: 10, byteCount: 1000, crc64: 1, checksum: .valid,
      aux: ["ctime": "1000"], verdict: .valid,
      content: RDBContent(
        keys: 1, expires: 0, databases: [], types: TypeCounts(string: 1), functions: 0,
        streamsTotal: 0, streams: []),
      moduleNames: [], largestKeys: [], findings: [])
    return RestoreKeysPlan(
      [key],
      of: RestoreCandidate(
        path: "a.rdb", name: "a.rdb", fileDigest: "", dumpDigest: "", summary: summary,
        source: nil), rule: rule,
      facts: RestoreKeysPlan.Facts(
        identity: "host:1", server: "redis 7.0", serverTime: 1_100_000, present: [isThere],
        replaces: replaces, takesSafetyBackup: true))
  }

  @Test func `a plan decides about each key by its time and by what is there`() {
    #expect(plan(nil).keys.map(\.action) == [.create])
    #expect(plan(nil, isThere: true).keys.map(\.action) == [.replace])
    #expect(plan(1_100_000, isThere: true).keys.map(\.action) == [.expired])
    #expect(plan(1_100_001).keys.map(\.action) == [.create])
    #expect(plan(1_000_001, .extend).keys.map(\.action) == [.create])
    #expect(plan(1_000_001, .extend).keys.map(\.expiresAt) == [1_100_001])
    #expect(plan(1_000_000, .extend).keys.map(\.action) == [.expired])
    #expect(plan(5, .drop).keys.map(\.action) == [.create])
    #expect(plan(5, .drop).keys.map(\.expiresAt) == [nil])
    #expect(plan(nil).keys.map(\.bytes) == [16])
    #expect(
      plan(nil, isThere: true).risks.contains(
        "replaced: 1 key; the safety backup holds what is there now, but not what is written there "
          + "after it"))
  }

  @Test func `what was written in part is told exactly`() {
    let refused = KeyState.refused(RedisServerError("OOM command not allowed"))
    let error = BackupError.keysPartlyWritten(
      [.written, .written, .expired, refused, .notWritten, .unknown, .differs("x")],
      plan(nil, replaces: false), cause: nil)
    #expect(error.next == .again("--replace"))
    #expect(error.kind == .rollbackFailed)
    #expect(
      error.message
        == "cannot restore all of 6 keys: 2 are written, 2 are not, of 1 it is not known, "
        + "1 are not as in the backup")
    #expect(error.cause == "it was interrupted")
  }
}
