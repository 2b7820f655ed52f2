import Testing

@testable import CRC64

struct CRC64Tests {
  @Test
  func `the check value of the polynomial comes out`() {
    #expect(checksum(of: Array("123456789".utf8)) == 0xe9c6_d914_c4b8_d9ca)
    #expect(checksum(of: []) == 0)
    #expect(checksum(of: [0, 0, 0]) == 0)
  }

  @Test(arguments: [0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 192, 4095, 4096, 16_383, 16_385, 100_003])
  func `long input gives what bit by bit division gives, on any processor`(byteCount: Int) {
    var random = SplitMix(seed: UInt64(byteCount))
    let bytes = (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(checksum(of: bytes) == bitByBit(bytes))
    var tables = CRC64()
    tables.look(up: bytes.span)
    #expect(tables.value == bitByBit(bytes))
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `any split gives the same checksum`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let bytes = (0..<70_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    var crc = CRC64()
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 0...40_000, using: &random))
      crc.update(bytes[start..<end].span)
      start = end
    }
    #expect(crc.value == checksum(of: bytes))
  }

  private func checksum(of bytes: [UInt8]) -> UInt64 {
    var crc = CRC64()
    crc.update(bytes.span)
    return crc.value
  }

  private func bitByBit(_ bytes: [UInt8]) -> UInt64 {
    var remainder: UInt64 = 0
    for byte in bytes {
      remainder ^= UInt64(byte)
      for _ in 0..<8 {
        remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0x95ac_9329_ac4b_c9b5 : 0)
      }
    }
    return remainder
  }
}
