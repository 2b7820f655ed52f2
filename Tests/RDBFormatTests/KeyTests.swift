import Testing

@testable import RDBFormat

struct KeyTests {
  @Test(arguments: [1, 2, 127, 128, 129, 1_000])
  func `a repeated key is found, with its place`(distance: Int) {
    var file = FileBuilder("REDIS0011").adding([254, 1])
    for index in 0..<distance {
      file = file.key(0, string("v"), name: "key:\(index)")
    }
    let place = file.bytes.count
    file = file.key(0, string("v"), name: "key:0")
    let expected = RDBError(
      kind: .duplicateKey, byteOffset: UInt64(place), database: 1, key: Array("key:0".utf8))
    #expect(outcome([file.ended()]) == .failure(expected))
    for bytes in [file.ended(), file.bytes, file.adding([200]).bytes] {
      #expect(outcome([bytes]) == .failure(expected))
      #expect(outcome(bytes.map { [$0] }) == .failure(expected))
      #expect(outcomeApart([bytes]) == .failure(expected))
      #expect(outcomeApart(bytes.map { [$0] }) == .failure(expected))
    }
  }

  @Test
  func `the same key in two databases is no repetition`() throws {
    let file = FileBuilder("REDIS0011").adding([254, 0]).key(0, string("v")).adding([254, 1])
      .key(0, string("v")).adding([254, 9, 254, 0]).key(0, string("v"), name: "other")
    let content = try inspect([file.ended()]).content
    #expect(content.databases.map(\.index) == [0, 1])
    #expect(content.databases.map(\.keys) == [2, 1])
  }

  @Test
  func `keys that differ in few bytes are told apart`() throws {
    var file = FileBuilder("REDIS0011")
    var names = Set<[UInt8]>()
    var random = SplitMix(seed: 1)
    for count in 0..<20 {
      names.insert([UInt8](repeating: 0, count: count))
      for _ in 0..<20 {
        names.insert((0..<count).map { _ in UInt8.random(in: 0...1, using: &random) })
      }
    }
    for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      file = file.adding([0] + string(name) + string("v"))
    }
    #expect(try inspect([file.ended()]).content.keys == UInt64(names.count))
  }

  @Test
  func `huge keys are compared whole`() throws {
    let long = [UInt8](repeating: 1, count: 100_000)
    let file = FileBuilder("REDIS0011").adding([0] + string(long) + string("v"))
    let other = file.adding([0] + string(long.dropLast() + [2]) + string("v"))
    #expect(try inspect([other.ended()]).content.keys == 2)
    let again = file.adding([0] + string(long) + string("v")).ended()
    let error = try #require(faultOf([again]))
    #expect(error.kind == .duplicateKey)
    #expect(error.key?.count == 256)
    #expect(outcomeApart([again]) == .failure(error))
    let halves = [Array(again.prefix(70_000)), Array(again.dropFirst(70_000))]
    #expect(outcomeApart(halves) == .failure(error))
  }

  @Test
  func `above the limit repetitions are declared not checked`() {
    var known = RDBKeySet()
    #expect(known.isComplete)
    var keys = RDBKeys()
    for index in 0..<RDBKeySet.limit + 65 {
      keys.beginKey()
      let name = Array(String(index).utf8)
      keys.append(name.span)
      keys.endKey(database: 0, byteOffset: 0)
    }
    known.compare(keys)
    #expect(known.fault == nil)
    #expect(!known.isComplete)
  }

  @Test
  func `the largest keys are kept in order`() throws {
    var file = FileBuilder("REDIS0011")
    for index in 0..<100 {
      let size = index * 37 % 100
      file = file.key(0, string([UInt8](repeating: 0, count: 100 + size)), name: "\(100 + size)")
    }
    let largest = try inspect([file.ended()]).largestKeys
    #expect(largest.map(\.key) == (180..<200).reversed().map { Array(String($0).utf8) })
  }

  @Test
  func `an empty collection is a finding and no key`() throws {
    let file = FileBuilder("REDIS0011").key(1, [0], name: "a").key(
      16, string(listpack([])), name: "b"
    )
    .key(14, [0], name: "c").key(18, [1, 2] + string(listpack([])), name: "d")
    let summary = try inspect([file.ended()])
    #expect(summary.content.keys == 0)
    #expect(summary.content.databases.isEmpty)
    #expect(summary.findings.map(\.kind) == [.emptyValue, .emptyValue, .emptyValue, .emptyValue])
    #expect(summary.findings.map(\.key) == ["a", "b", "c", "d"].map { Array($0.utf8) })
  }

  @Test(arguments: ["REDIS0014", "REDIS0099", "VALKEY080"])
  func `a repeated key in front of what is not understood is found in every way`(magic: String) {
    var random = SplitMix(seed: 7)
    for distance in [1, 100, 200] {
      var file = FileBuilder(magic)
      for index in 0..<distance { file = file.key(0, string("v"), name: "key:\(index)") }
      file = file.key(0, string("v"), name: "key:0").adding([60, 1, 2, 3])
      let bytes = file.ended()
      let whole = outcome([bytes])
      #expect(outcome(bytes.split(using: &random)) == whole)
      #expect(outcomeApart(bytes.split(using: &random)) == whole)
      if magic != "REDIS0099" {
        guard case .failure(let error) = whole else { Issue.record("not found"); continue }
        #expect(error.kind == .duplicateKey)
      }
    }
  }
}
