import GzipMembers
import Testing

@Suite struct DamageTests {
  @Test func `no bytes at all are a truncated stream`() async throws {
    await #expect(throws: GzipError(.truncated, byteOffset: 0)) { try await decompress([]) }
    await #expect(throws: GzipError(.truncated, byteOffset: 0)) { try await decompress([[], []]) }
  }

  @Test(arguments: [[0, 0, 0], Array("REDIS0011".utf8), [31, 140, 8]])
  func `anything else than gzip is told at once`(bytes: [UInt8]) async throws {
    await #expect(throws: GzipError(.notGzip, byteOffset: 0)) { try await decompress([bytes]) }
  }

  @Test func `a stream that ends inside a member is an error, wherever it ends`() async throws {
    var random = SplitMix(seed: 11)
    for members in [
      [try await Member.ours(using: &random), try await Member.ours(using: &random)],
      [try Member.foreign(using: &random), try Member.foreign(using: &random)],
    ] {
      let archive = members.map(\.bytes).together
      let boundary = members[0].bytes.count
      for end in 1..<archive.count where end != boundary {
        let start = UInt64(end < boundary ? 0 : boundary)
        await #expect(throws: GzipError(.truncated, byteOffset: start)) {
          try await decompress([Array(archive[..<end])])
        }
      }
    }
  }

  @Test func `a flipped bit is an error or changes nothing`() async throws {
    var random = SplitMix(seed: 12)
    let members = [
      try await Member.ours(using: &random), try Member.foreign(using: &random),
      try await Member.ours(using: &random),
    ]
    let archive = members.map(\.bytes).together
    let input = members.map(\.content).together
    for bit in 0..<(archive.count * 8) {
      var damaged = archive
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      do {
        #expect(try await decompress([damaged]) == input, "bit \(bit)")
      } catch is GzipError {
        // Found, as it should be.
      }
    }
  }

  @Test(arguments: Seed.fresh(60))
  func `we accept what gunzip accepts, with the same bytes`(seed: UInt64) async throws {
    var random = SplitMix(seed: seed)
    var archive: [UInt8] = []
    for _ in 0..<Int.random(in: 1...4, using: &random) {
      archive +=
        try Bool.random(using: &random)
        ? Member.foreign(using: &random).bytes : await Member.ours(using: &random).bytes
    }
    for _ in 0..<Int.random(in: 0...2, using: &random) where !archive.isEmpty {
      let index = Int.random(in: 0..<archive.count, using: &random)
      switch Int.random(in: 0..<5, using: &random) {
      case 0: archive.removeLast(archive.count - index)
      case 1: archive.insert(UInt8.random(in: 0...255, using: &random), at: index)
      case 2: archive += [UInt8](repeating: 0, count: Int.random(in: 1...9, using: &random))
      case 3: archive.append(UInt8.random(in: 0...255, using: &random))
      default: archive[index] = UInt8.random(in: 0...255, using: &random)
      }
    }
    let expected = try Gzip.gunzip(archive)
    do {
      #expect(try await decompress(archive.split(largest: 99, using: &random)) == expected)
    } catch is GzipError {
      // gunzip makes nothing of no bytes at all.
      #expect(expected == nil || archive.isEmpty)
    }
  }

  @Test func `zero padding after the last member is ignored, anything else is not`() async throws {
    let member = try await compress([[1, 2, 3]])[0]
    for zeros in [1, 2, 19, 20, 511, 3_000_000] {
      let padded = member + [UInt8](repeating: 0, count: zeros)
      #expect(try await decompress([padded]) == [1, 2, 3])
      await #expect(throws: GzipError(.trailingBytes, byteOffset: UInt64(member.count))) {
        try await decompress([padded, member])
      }
    }
    for trailer in [[1], [31, 0], [0, 1], Array("garbage".utf8)] as [[UInt8]] {
      await #expect(throws: GzipError(.trailingBytes, byteOffset: UInt64(member.count))) {
        try await decompress([member, trailer])
      }
    }
  }

  @Test func `an error says what is wrong and in which member`() async throws {
    var random = SplitMix(seed: 13)
    let first = try await compress([[1, 2, 3]])[0]
    let place = UInt64(first.count)
    let foreign = try Member.deflated([UInt8].noise(1000, using: &random))
    let header: [UInt8] = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3]
    let cases: [(kind: GzipError.Kind, text: String, bytes: [UInt8])] = [
      (.badHeader, "unusable header", [31, 139, 7] + header.dropFirst(3) + foreign),
      (.badHeader, "unusable header", [31, 139, 8, 0x20] + header.dropFirst(4) + foreign),
      (.badHeader, "unusable header", [31, 139, 8, 2] + header.dropFirst(4) + [1, 2] + foreign),
      (.badData, "damaged deflate data", header + [7] + foreign),
      (
        .wrongChecksum, "wrong checksum",
        header + foreign.dropLast(8) + [1, 2, 3, 4] + foreign.suffix(4)
      ),
      (.wrongLength, "wrong length", header + foreign.dropLast(4) + [1, 2, 3, 4]),
    ]
    for (kind, text, bytes) in cases {
      let error = await #expect(throws: GzipError.self) { try await decompress([first, bytes]) }
      #expect(error == GzipError(kind, byteOffset: place))
      #expect(error?.description == "\(text) in the gzip member at byte \(place)")
    }
  }
}
