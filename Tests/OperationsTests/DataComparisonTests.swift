import RDBFormat
import RedisClient
import Testing

@testable import Operations

/// A dump of 100 keys, 30 of them with an expiry time, in database 0.
private func dump(fieldExpiringHashes: UInt64 = 0) -> RDBSummary {
  RDBSummary(
    format: .redis, version: 10, byteCount: 1000, crc64: 1, checksum: .valid, aux: [:],
    verdict: .valid,
    content: RDBContent(
      keys: 100, expires: 30,
      databases: [
        DatabaseSummary(
          index: 0, keys: 100, expires: 30, fieldExpiringHashes: fieldExpiringHashes)
      ], types: TypeCounts(string: 100), functions: 0, streamsTotal: 0, streams: []),
    moduleNames: [], largestKeys: [], findings: [])
}

private func differences(
  keys: Int, expires: Int, expired: Int = 0, evicted: Int = 0, loaded: Int? = nil, atLoad: Int = 0,
  changes: Int = 0, more: String = "", _ dump: RDBSummary = dump()
) -> [String] {
  var lines = [
    "db0:keys=\(keys),expires=\(expires),avg_ttl=0", "expired_keys:\(expired)",
    "evicted_keys:\(evicted)", "rdb_changes_since_last_save:\(changes)", more,
  ]
  if let loaded {
    lines += ["rdb_last_load_keys_loaded:\(loaded)", "rdb_last_load_keys_expired:\(atLoad)"]
  }
  return DataComparison(expected: dump).compareCounts(
    ServerStatus(info: lines.joined(separator: "\r\n"))
  ).differences
}

struct DataComparisonTests {
  @Test func `the same keys are no difference`() {
    #expect(differences(keys: 100, expires: 30, loaded: 100).isEmpty)
  }

  @Test func `keys that have expired before or after the load are no difference`() {
    #expect(differences(keys: 90, expires: 20, expired: 0, loaded: 90, atLoad: 10).isEmpty)
    #expect(differences(keys: 85, expires: 15, expired: 15, loaded: 100).isEmpty)
  }

  @Test func `a server that follows another is a difference`() {
    #expect(
      differences(keys: 100, expires: 30, loaded: 100, more: "role:slave") == [
        "the server is a replica, whose data goes when its master's comes"
      ])
    #expect(differences(keys: 100, expires: 30, loaded: 100, more: "role:master").isEmpty)
  }

  @Test func `a key without an expiry time that is missing is a difference`() {
    #expect(
      differences(keys: 99, expires: 30, loaded: 100) == [
        "database 0 has 99 keys (30 with an expiry time) instead of 100 (30)"
      ])
  }

  @Test func `keys that are missing but have not expired are a difference`() {
    #expect(
      differences(keys: 90, expires: 20, expired: 3, loaded: 100) == [
        "10 keys with an expiry time are missing, but only 3 have expired"
      ])
  }

  @Test func `keys that were evicted are a difference`() {
    #expect(!differences(keys: 100, expires: 30, evicted: 1, loaded: 100).isEmpty)
  }

  @Test func `a hash whose last field has expired is no difference`() {
    #expect(
      differences(keys: 98, expires: 30, loaded: 100, dump(fieldExpiringHashes: 2)).isEmpty)
  }

  @Test func `more keys are a difference only as long as nobody has written`() {
    #expect(!differences(keys: 101, expires: 30, loaded: 100).isEmpty)
    #expect(differences(keys: 101, expires: 31, loaded: 100, changes: 1).isEmpty)
    #expect(!differences(keys: 100, expires: 30, loaded: 100, more: "db3:keys=1,expires=0").isEmpty)
  }

  @Test func `old data that has grown into the shape of the backup is found by what was loaded`() {
    #expect(
      differences(keys: 250, expires: 30, loaded: 249, changes: 1) == [
        "the server loaded 249 keys at its start instead of 100"
      ])
  }
}

struct StreamComparisonTests {
  private let expected = StreamSummary(
    database: 0, key: Array("raibid:jobs".utf8), length: 2, firstID: StreamID("1-1"),
    lastID: StreamID("2-1"), lastGeneratedID: StreamID(milliseconds: 3, sequence: 0),
    maxDeletedID: StreamID("3-0"), entriesAdded: 3,
    groups: [
      GroupSummary(
        name: Array("g".utf8), lastDeliveredID: StreamID(milliseconds: 2, sequence: 1),
        entriesRead: nil, pending: 1, dangling: 0,
        consumers: [ConsumerSummary(name: [0xff], pending: 1)])
    ])

  private func found(
    length: Int64 = 2, last: String = "3-0", pending: Int64 = 1, consumer: [UInt8] = [0xff]
  ) -> StreamState {
    StreamState(
      length: length, firstID: "1-1", lastID: "2-1", lastGeneratedID: last, maxDeletedID: nil,
      entriesAdded: 3,
      groups: [
        StreamState.Group(
          name: Array("g".utf8), lastDeliveredID: "2-1", entriesRead: 7, pending: pending,
          consumers: [StreamState.Consumer(name: consumer, pending: pending)])
      ])
  }

  @Test func `figures that one side does not know cannot differ`() {
    let comparison = StreamComparison(expected: expected, found: found())
    #expect(comparison.differences(writesSeen: false).isEmpty)
  }

  @Test func `every other difference is named`() {
    let comparison = StreamComparison(
      expected: expected, found: found(length: 1, pending: 0, consumer: [0xfe]))
    #expect(
      comparison.differences(writesSeen: false) == [
        "length is 1 instead of 2", "group \"g\": pending is 0 instead of 1",
        "group \"g\": pending of consumer \"\\xff\" is 0 instead of 1",
      ])
  }

  @Test func `once somebody has written only a stream that went back is a difference`() {
    #expect(
      StreamComparison(expected: expected, found: found(length: 9, last: "9-0"))
        .differences(writesSeen: true).isEmpty)
    #expect(
      StreamComparison(expected: expected, found: found(last: "1-0"))
        .differences(writesSeen: true) == ["last generated id is 1-0 instead of 3-0"])
  }
}
