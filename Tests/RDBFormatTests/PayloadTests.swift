import Testing

@testable import RDBFormat

struct PayloadTests {
  @Test(arguments: Fixture.all)
  func `the ranges of values lie behind their keys, in order`(fixture: Fixture) throws {
    var end: UInt64 = 9
    for key in try keys(of: fixture.bytes) {
      let range = key.value.range
      #expect(range.lowerBound > end && range.upperBound <= UInt64(fixture.bytes.count) - 9)
      #expect(range.upperBound - range.lowerBound < key.bytes)
      #expect(!key.isCut && !key.value.hasMetadata)
      end = range.upperBound
    }
  }

  @Test func `a payload is what the server's own DUMP gives`() {
    // `SET k 123` and `DUMP k` on Redis 7.0.
    var payload = DumpPayload(typeCode: 0, version: 10)
    payload.update([0xc0, 0x7b].span)
    let dump: [UInt8] = [
      0, 0xc0, 0x7b, 10, 0, 0x48, 0xe2, 0x53, 0xe1, 0x00, 0x7a, 0x67, 0xb9,
    ]
    #expect(payload.head + [0xc0, 0x7b] + payload.tail() == dump)
    #expect(DumpPayload.byteCount(valueByteCount: 2) == UInt64(dump.count))
  }

  @Test func `what a server stored about the use of a key is told`() throws {
    let file = FileBuilder("REDIS0011")
      .adding([249, 7]).key(0, string("v"), name: "often")
      .adding([248, 40]).key(0, string("v"), name: "idle")
      .key(0, string("v"), name: "plain")
      .adding([0] + string([UInt8](repeating: 1, count: 70_000)) + string("v"))
      .ended()
    let values = try keys(of: file).map(\.value)
    #expect(values.map(\.useFrequency) == [7, nil, nil, nil])
    #expect(values.map(\.idleSeconds) == [nil, 40, nil, nil])
    #expect(try keys(of: file).map(\.isCut) == [false, false, false, true])
    for value in values {
      #expect(Array(file[Int(value.range.lowerBound)..<Int(value.range.upperBound)]) == string("v"))
    }
  }
}
