import Testing

@testable import RDBFormat

struct StreamTests {
  @Test(arguments: [15, 19, 21, 26, 27] as [UInt8])
  func `a stream of every format is read`(code: UInt8) throws {
    let magic = code == 27 ? "REDIS0014" : "REDIS0013"
    let bytes = FileBuilder(magic).adding([254, 2]).key(code, stream(code)).ended()
    let summary = try inspect([bytes])
    let stream = try #require(summary.content.streams.first)
    #expect(stream.database == 2)
    #expect(stream.length == 2)
    #expect(stream.firstID == StreamID("100-1"))
    #expect(stream.lastID == StreamID("105-0"))
    #expect(stream.lastGeneratedID == StreamID("200-0"))
    #expect(stream.maxDeletedID == (code == 15 ? nil : StreamID("101-0")))
    #expect(stream.entriesAdded == (code == 15 ? nil : 3))
    let group = try #require(stream.groups.first)
    #expect(group.entriesRead == nil)
    #expect(group.pending == 3)
    #expect(group.dangling == 1)
    #expect(
      group.consumers == [
        ConsumerSummary(name: Array("a".utf8), pending: code == 27 ? 1 : 2),
        ConsumerSummary(name: Array("b".utf8), pending: 1),
      ])
    #expect(
      group.pendingEntries
        == [
          ("100-1", "a"), ("101-0", code == 27 ? nil : "a"), ("105-0", "b"),
        ].compactMap { (id: String, consumer: String?) in
          StreamID(id).map {
            PendingEntry(
              id: $0, consumer: consumer.map { Array($0.utf8) }, deliveredAt: 1_700_000_000_000,
              deliveries: 1)
          }
        })
    #expect(try inspect(bytes.map { [$0] }) == summary)
  }

  @Test
  func `pending ids may come in any order`() throws {
    var pending = pendingEntries
    pending.swapAt(0, 2)
    let bytes = FileBuilder("REDIS0013").key(15, stream(15, pending: pending)).ended()
    let group = try inspect([bytes]).content.streams.first?.groups.first
    #expect(group?.dangling == 1)
    #expect(group?.pendingEntries == [])
  }

  @Test
  func `so many pending entries are kept, and no more`() throws {
    let ids = (0..<UInt64(PendingEntry.limit + 1)).map { id(100, $0) }
    let value = stream(21, pending: ids, owned: [ids, []])
    let bytes = FileBuilder("REDIS0011").key(21, value).key(21, value, name: "b").ended()
    let groups = try inspect([bytes]).content.streams.flatMap(\.groups)
    #expect(groups.map(\.pending) == [10_001, 10_001])
    #expect(groups.map(\.pendingEntries.count) == [10_000, 0])
    #expect(groups[0].pendingEntries.last?.id == StreamID("100-9999"))
  }

  @Test(arguments: [
    ("wrong length", "a stream of 2 entries says 3"),
    ("low last id", "a stream has an entry above its last id"),
    ("repeated id", "a consumer group has a pending entry twice"),
    ("unknown id", "a consumer has a pending entry that its group lacks"),
    ("two owners", "a pending entry belongs to two consumers"),
    ("no owner", "of 3 pending entries 2 have a consumer"),
    ("repeated name", "two consumers have the same name"),
  ])
  func `a stream that contradicts itself is damaged`(what: String, message: String) throws {
    let value =
      switch what {
      case "wrong length": stream(21, length: 3)
      case "low last id": stream(21, last: 104)
      case "repeated id": stream(21, pending: [pendingEntries[0], pendingEntries[0]])
      case "unknown id": stream(21, owned: [[id(100, 1), id(99, 0)], [id(105, 0)]])
      case "two owners": stream(21, owned: [[id(100, 1), id(101, 0)], [id(101, 0)]])
      case "no owner": stream(21, owned: [[id(100, 1)], [id(105, 0)]])
      default: stream(21, names: ["a", "a"])
      }
    let bytes = FileBuilder("REDIS0011").key(21, value).ended()
    let error = try #require(faultOf([bytes]))
    #expect(error.kind == .malformed(message))
    #expect(error.key == Array("k".utf8))
    #expect(faultOf(bytes.map { [$0] }) == error)
  }

  @Test(arguments: [
    ("ids that go back", "the ids of a stream do not ascend"),
    ("wrong count", "a stream node of 2 entries and 0 deleted ones says 1 and 0"),
    ("wrong size of an entry", "a stream entry of 4 parts says 5"),
    ("text for a number", "a stream has text where a number must be"),
    ("unknown flags", "a stream entry has unknown flags"),
    ("cut entry", "a stream node ends within an entry"),
    ("negative fields", "a stream entry has -1 fields"),
    ("master without end", "the master entry of a stream node has no end"),
  ])
  func `a stream node that breaks its rules is damaged`(what: String, message: String) throws {
    let node =
      switch what {
      case "ids that go back": streamNode([(1, 0, false), (0, 9, false)])
      case "wrong count": streamNode([(0, 0, false), (1, 0, false)], live: 1)
      case "wrong size of an entry": listpack([1, 0, 1, "f", 0, 2, 0, 0, "v", 5])
      case "text for a number": listpack([1, 0, 1, "f", 0, 2, "0", 0, "v", 4])
      case "unknown flags": listpack([1, 0, 1, "f", 0, 4, 0, 0, "v", 4])
      case "cut entry": listpack([1, 0, 1, "f", 0, 2, 0, 0])
      case "negative fields": listpack([1, 0, 1, "f", 0, 0, 0, 0, -1])
      default: listpack([1, 0, 1, "f", 1])
      }
    let value = length(1) + string(id(100, 0)) + string(node)
    let bytes = FileBuilder("REDIS0011").key(21, value).ended()
    let error = try #require(faultOf([bytes]))
    #expect(error.kind == .malformed(message))
    #expect(faultOf(bytes.map { [$0] }) == error)
  }

  @Test
  func `only the first thousand streams are listed`() throws {
    var file = FileBuilder("REDIS0011")
    for index in 0..<1_002 {
      file = file.key(15, [0, 0, 7, 8, 0], name: "s\(index)")
    }
    let content = try inspect([file.ended()]).content
    #expect(content.streamsTotal == 1_002)
    #expect(content.streams.count == 1_000)
    #expect(content.streams.last?.key == Array("s999".utf8))
    #expect(content.streams.allSatisfy { $0.firstID == nil && $0.lastID == nil })
  }

  @Test
  func `groups and consumers are listed up to a limit`() throws {
    let consumers = (0..<100_100).map { String(200_000 + $0) }
    let group =
      string("g") + length(0) + length(0) + length(0)
      + length(UInt64(consumers.count)) + consumers.flatMap { string($0) + little(0, 8) + [0] }
    let bytes = FileBuilder("REDIS0009").key(15, [0, 0, 7, 8, 1] + group).ended()
    let summary = try inspect([bytes])
    #expect(summary.content.streams.first?.groups.first?.consumers.count == 99_999)
    #expect(summary.findings.map(\.kind) == [.listCut])
  }

  @Test
  func `a stream with a huge key is counted but not listed`() throws {
    let name = String(repeating: "n", count: 65_537)
    let bytes = FileBuilder("REDIS0011").key(15, [0, 0, 7, 8, 0], name: name).ended()
    let summary = try inspect([bytes])
    #expect(summary.content.streamsTotal == 1)
    #expect(summary.content.streams.isEmpty)
    #expect(summary.largestKeys.first?.key.count == 65_536)
    #expect(try inspect(bytes.map { [$0] }) == summary)
  }

  private var pendingEntries: [[UInt8]] { [id(100, 1), id(101, 0), id(105, 0)] }

  // Entries 100-1 and 105-0 are there and 101-0 is deleted; group g has all three pending.
  private func stream(
    _ code: UInt8, length count: UInt64 = 2, last: UInt64 = 200, pending: [[UInt8]]? = nil,
    owned: [[[UInt8]]]? = nil, names: [String] = ["a", "b"]
  ) -> [UInt8] {
    let hasUnowned = code == 27
    let owned = owned ?? [hasUnowned ? [id(100, 1)] : [id(100, 1), id(101, 0)], [id(105, 0)]]
    let pending = pending ?? pendingEntries
    var value = length(1) + string(id(100, 1))
    value += string(streamNode([(0, 0, false), (1, -1, true), (5, -1, false)]))
    value += length(count) + length(last) + length(0)
    if code > 15 { value += length(100) + length(1) + length(101) + length(0) + length(3) }
    value += length(1) + string("g") + length(105) + length(0)
    if code > 15 { value += length(.max) }
    value += length(UInt64(pending.count))
    value += pending.flatMap { $0 + little(1_700_000_000_000, 8) + length(1) }
    value += length(2)
    for (name, ids) in zip(names, owned) {
      value += string(name) + little(5, 8)
      if code > 19 { value += little(6, 8) }
      value += length(UInt64(ids.count)) + ids.flatMap { $0 }
    }
    if hasUnowned { value += length(1) + id(101, 0) }
    if code > 21 {
      value += length(100) + length(100) + length(2) + string("p") + length(1) + string("i")
      value += length(105) + length(0) + string("q") + length(0) + length(1) + length(0)
    }
    return value
  }
}
