import Testing

@testable import RDBFormat

struct CorpusTests {
  @Test(arguments: Fixture.all)
  func `a file gives the figures that its server gave`(fixture: Fixture) throws {
    let index = try fixture.index()
    let summary = try inspect([fixture.bytes])
    let content = summary.content
    #expect(content.keys == index.keysTotal)
    #expect(content.expires == index.expiresTotal)
    #expect(content.functions == index.functions)
    #expect(content.streamsTotal == UInt64(index.streams.count))
    for type in ValueType.allCases where type != .module {
      #expect(content.types[type] == index.types[type.rawValue] ?? 0)
    }
    #expect(content.types.module == index.types["vectorset"] ?? 0)
    #expect(summary.moduleNames == (index.types["vectorset"] == nil ? [] : ["vectorset"]))
    #expect(content.databases.map(\.index) == index.dbs.keys.compactMap { UInt64($0) }.sorted())
    for database in content.databases {
      let expected = try #require(index.dbs[String(database.index)])
      #expect(database.keys == expected.keys)
      #expect(database.expires == expected.expires)
    }
  }

  @Test(arguments: Fixture.all)
  func `a file's frame is as its bytes say`(fixture: Fixture) throws {
    let file = try fixture.index().file
    let summary = try inspect([fixture.bytes])
    #expect(summary.byteCount == file.size)
    #expect(summary.checksum == (file.hasChecksum ? .valid : .disabled))
    #expect(summary.verdict == (file.hasChecksum ? .valid : .noChecksum))
    #expect(summary.findings.map(\.kind) == (file.hasChecksum ? [] : [.checksumDisabled]))
    if file.hasChecksum {
      let footer = (0..<8).map { UInt8(truncatingIfNeeded: summary.crc64 >> UInt64(8 * $0)) }
      #expect(hexadecimal(footer) == file.footerHex)
    }
    let magic =
      summary.format == .valkey
      ? "VALKEY0\(summary.version)"
      : "REDIS" + String(String(10_000 + summary.version).dropFirst())
    #expect(magic == file.magic)
    #expect(Int64(summary.aux["ctime"] ?? "") != nil)
  }

  @Test(arguments: Fixture.all)
  func `streams, groups and consumers are as their server gave them`(fixture: Fixture) throws {
    let index = try fixture.index()
    let streams = try inspect([fixture.bytes]).content.streams
    #expect(streams.count == index.streams.count)
    for expected in index.streams {
      let key = latin1(expected.key)
      let stream = try #require(streams.first { $0.key == key && $0.database == expected.db })
      #expect(stream.length == expected.length)
      #expect(stream.firstID?.description == expected.firstID)
      #expect(stream.lastID?.description == expected.lastID)
      #expect(stream.lastGeneratedID.description == expected.lastGeneratedID)
      #expect(stream.maxDeletedID?.description == expected.maxDeletedID)
      #expect(stream.entriesAdded == expected.entriesAdded)
      #expect(stream.groups.map(\.name) == expected.groups.map { latin1($0.name) })
      for (group, wanted) in zip(stream.groups, expected.groups) {
        #expect(group.lastDeliveredID.description == wanted.lastDeliveredID)
        #expect(group.entriesRead == wanted.entriesRead)
        #expect(group.pending == wanted.pending)
        #expect(group.consumers.map(\.name) == wanted.consumers.map { latin1($0.name) })
        #expect(group.consumers.map(\.pending) == wanted.consumers.map(\.pending))
      }
    }
  }

  @Test(arguments: Fixture.all)
  func `every key has the type, size and expiry that its server gave`(fixture: Fixture) throws {
    let index = try fixture.index()
    let keys = try keys(of: fixture.bytes)
    let found = Dictionary(grouping: keys) { "\($0.database) \(hexadecimal($0.key))" }
    #expect(keys.count == index.keys.count)
    for expected in index.keys {
      let key = try #require(found["\(expected.db) \(expected.keyHex)"]?.first)
      #expect(key.type.rawValue == (expected.type == "vectorset" ? "module" : expected.type))
      let hasElements = key.type != .string && key.type != .module
      if hasElements { #expect(key.elements == expected.length) }
      if hasElements && key.type != .list { #expect(key.encoding == expected.encoding) }
      if let expiry = expected.pexpiretime {
        #expect(key.expiresAt == (expiry == -1 ? nil : expiry))
      }
    }
    #expect(keys.reduce(0) { $0 + $1.bytes } < UInt64(fixture.bytes.count))
  }

  @Test
  func `pending entries that were deleted are counted as dangling`() throws {
    let fixture = try #require(Fixture.all.first { $0.name == "redis-7.0-raibid-jobs" })
    let stream = try #require(try inspect([fixture.bytes]).content.streams.first)
    #expect(stream.length == 9_950)
    #expect(stream.groups.map(\.pending) == [500])
    #expect(stream.groups.map(\.dangling) == [50])
  }

  @Test
  func `hashes with expiring fields and expired keys are counted by database`() throws {
    for name in ["redis-7.4-all-types-sync", "valkey-9.1-all-types-nocompress"] {
      let fixture = try #require(Fixture.all.first { $0.name == name })
      let early = try inspect([fixture.bytes], referenceTime: 0).content.databases
      #expect(early.map(\.fieldExpiringHashes) == [4, 0, 0])
      #expect(early.map(\.expiredKeys) == [0, 0, 0])
      let late = try inspect([fixture.bytes], referenceTime: .max).content.databases
      #expect(late.map(\.expiredKeys) == late.map(\.expires))
    }
  }
}
