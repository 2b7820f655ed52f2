import FoundationEssentials
import RDBFormat
import Testing

struct CodingTests {
  @Test
  func `content is coded by the manifest's names`() throws {
    let stream = StreamSummary(
      database: 3, key: [0xff, 0x00], length: 0, firstID: nil, lastID: nil,
      lastGeneratedID: StreamID(milliseconds: 7, sequence: 8), maxDeletedID: nil,
      entriesAdded: nil,
      groups: [
        GroupSummary(
          name: Array("g".utf8), lastDeliveredID: StreamID(milliseconds: 1, sequence: .max),
          entriesRead: nil, pending: 2, dangling: nil,
          consumers: [ConsumerSummary(name: Array("é".utf8), pending: 2)])
      ], expiresAt: 5)
    let content = RDBContent(
      keys: 2, expires: 1,
      databases: [
        DatabaseSummary(index: 3, keys: 2, expires: 1, expiredKeys: 1, fieldExpiringHashes: 1)
      ], types: TypeCounts(hash: 1, stream: 1), functions: 4, streamsTotal: 1, streams: [stream])
    let group =
      #"{"consumers":[{"name":"é","pending":2}],"dangling":null,"entries_read":null,"#
      + #""last_delivered_id":"1-18446744073709551615","name":"g","pending":2}"#
    let expected =
      #"{"databases":[{"expires":1,"index":3,"keys":2}],"expires":1,"functions":4,"keys":2,"#
      + #""streams":[{"database":3,"entries_added":null,"first_id":null,"groups":[\#(group)],"#
      + #""key_base64":"/wA=","last_generated_id":"7-8","last_id":null,"length":0,"#
      + #""max_deleted_id":null}],"streams_total":1,"types":{"hash":1,"list":0,"module":0,"#
      + #""set":0,"stream":1,"string":0,"zset":0}}"#
    #expect(try text(content) == expected)
  }

  @Test(arguments: Fixture.all)
  func `content survives coding`(fixture: Fixture) throws {
    let content = try inspect([fixture.bytes], referenceTime: .min).content
    let decoded = try JSONDecoder().decode(RDBContent.self, from: JSONEncoder().encode(content))
    #expect(
      decoded.streams.map { $0.groups.map(\.consumers) }
        == content.streams.map { $0.groups.map(\.consumers) })
    #expect(decoded.streams.flatMap(\.groups).allSatisfy { $0.pendingEntries.isEmpty })
    #expect(decoded.streams.map(\.key) == content.streams.map(\.key))
    #expect(decoded.databases.map(\.keys) == content.databases.map(\.keys))
    #expect(decoded.databases.allSatisfy { $0.fieldExpiringHashes == 0 })
    #expect(decoded.streams.allSatisfy { $0.expiresAt == nil })
    #expect(try text(decoded) == text(content))
  }

  @Test
  func `largest keys and findings are coded with text or base64`() throws {
    let key = LargestKey(
      database: 0, key: Array("k".utf8), type: .zset, encoding: "skiplist", bytes: 9, elements: 1)
    #expect(
      try text(key)
        == #"{"bytes":9,"database":0,"elements":1,"encoding":"skiplist","key":"k","type":"zset"}"#)
    let finding = RDBFinding(
      kind: .notChecked, message: "m", byteOffset: 7, database: nil, key: nil)
    #expect(
      try text(finding)
        == #"{"byte_offset":7,"database":null,"key":null,"kind":"not_checked","message":"m"}"#)
    let decoded = try JSONDecoder().decode(RDBFinding.self, from: JSONEncoder().encode(finding))
    #expect(decoded == finding)
  }

  @Test(arguments: 0..<9)
  func `bytes that are not text survive as base64`(count: Int) throws {
    let name = [UInt8](repeating: 0xf5, count: count) + [0xc0]
    let consumer = ConsumerSummary(name: name, pending: 1)
    let data = try JSONEncoder().encode(consumer)
    #expect(try JSONDecoder().decode(ConsumerSummary.self, from: data) == consumer)
    let coded = try JSONDecoder().decode([String: StringOrNumber].self, from: data)
    #expect(coded["name_base64"]?.text == Data(name).base64EncodedString())
  }

  @Test(arguments: ["", "1", "1-", "-1", "1-2-3", "a-1", "1-18446744073709551616", "1--1"])
  func `a text that is no stream id is not decoded`(text: String) {
    #expect(StreamID(text) == nil)
  }

  private func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

private struct StringOrNumber: Decodable {
  let text: String?

  init(from decoder: any Decoder) throws {
    text = try? decoder.singleValueContainer().decode(String.self)
  }
}
