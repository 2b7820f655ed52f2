import CRC64

/// Writes RDB files piece by piece, right or wrong.
struct FileBuilder {
  private(set) var bytes: [UInt8]

  init(_ magic: String = "REDIS0011") {
    bytes = Array(magic.utf8)
  }

  func adding(_ more: [UInt8]) -> FileBuilder {
    var builder = self
    builder.bytes += more
    return builder
  }

  /// A key `k` of a type, with the bytes of its value.
  func key(_ type: UInt8, _ value: [UInt8], name: String = "k") -> FileBuilder {
    adding([type] + string(name) + value)
  }

  /// The end opcode, and the right checksum.
  func ended() -> [UInt8] {
    let whole = bytes + [0xff]
    return whole + little(checksum(of: whole), 8)
  }

  /// The end opcode, and no checksum.
  func endedWithoutChecksum() -> [UInt8] {
    bytes + [0xff] + [UInt8](repeating: 0, count: 8)
  }
}

func checksum(of bytes: [UInt8]) -> UInt64 {
  var crc = CRC64()
  crc.update(bytes.span)
  return crc.value
}

func little(_ value: UInt64, _ count: Int) -> [UInt8] {
  (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}

func big(_ value: UInt64, _ count: Int) -> [UInt8] {
  little(value, count).reversed()
}

func length(_ value: UInt64) -> [UInt8] {
  switch value {
  case ..<64: [UInt8(value)]
  case ..<16_384: big(value | 0x4000, 2)
  case ...UInt64(UInt32.max): [0x80] + big(value, 4)
  default: [0x81] + big(value, 8)
  }
}

func string(_ bytes: [UInt8]) -> [UInt8] {
  length(UInt64(bytes.count)) + bytes
}

func string(_ text: String) -> [UInt8] {
  string(Array(text.utf8))
}

func id(_ milliseconds: UInt64, _ sequence: UInt64) -> [UInt8] {
  big(milliseconds, 8) + big(sequence, 8)
}

/// An entry of a listpack or ziplist.
enum Entry: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  case text([UInt8])
  case integer(Int64)

  init(stringLiteral text: String) { self = .text(Array(text.utf8)) }
  init(integerLiteral value: Int64) { self = .integer(value) }
}

func listpack(_ entries: [Entry], count: UInt64? = nil) -> [UInt8] {
  let body = entries.flatMap { entry in
    let encoded = listpackEncoding(entry)
    return encoded + backLength(encoded.count)
  }
  return little(UInt64(body.count + 7), 4) + little(count ?? UInt64(entries.count), 2) + body
    + [0xff]
}

private func listpackEncoding(_ entry: Entry) -> [UInt8] {
  switch entry {
  case .text(let bytes):
    let count = UInt64(bytes.count)
    switch count {
    case ..<64: return [0x80 | UInt8(count)] + bytes
    case ..<4_096: return big(0xe000 | count, 2) + bytes
    default: return [0xf0] + little(count, 4) + bytes
    }
  case .integer(let value):
    let bits = UInt64(bitPattern: value)
    switch value {
    case 0..<128: return [UInt8(value)]
    case -4_096..<4_096: return big(0xc000 | bits & 0x1fff, 2)
    case -32_768..<32_768: return [0xf1] + little(bits, 2)
    case -8_388_608..<8_388_608: return [0xf2] + little(bits, 3)
    case Int64(Int32.min)...Int64(Int32.max): return [0xf3] + little(bits, 4)
    default: return [0xf4] + little(bits, 8)
    }
  }
}

private func backLength(_ count: Int) -> [UInt8] {
  let width = count <= 127 ? 1 : count < 16_383 ? 2 : count < 2_097_151 ? 3 : 4
  return (0..<width).map { index in
    let bits = UInt8(truncatingIfNeeded: count >> (7 * (width - 1 - index))) & 0x7f
    return index == 0 ? bits : bits | 0x80
  }
}

func ziplist(_ entries: [Entry], tail: UInt64? = nil, count: UInt64? = nil) -> [UInt8] {
  var body: [UInt8] = []
  var previous = 0
  var last = 10
  for entry in entries {
    let prefix = previous < 254 ? [UInt8(previous)] : [0xfe] + little(UInt64(previous), 4)
    last = 10 + body.count
    let encoded = prefix + ziplistEncoding(entry)
    previous = encoded.count
    body += encoded
  }
  return little(UInt64(body.count + 11), 4) + little(tail ?? UInt64(last), 4)
    + little(count ?? UInt64(entries.count), 2) + body + [0xff]
}

private func ziplistEncoding(_ entry: Entry) -> [UInt8] {
  switch entry {
  case .text(let bytes):
    let count = UInt64(bytes.count)
    switch count {
    case ..<64: return [UInt8(count)] + bytes
    case ..<16_384: return big(0x4000 | count, 2) + bytes
    default: return [0x80] + big(count, 4) + bytes
    }
  case .integer(let value):
    let bits = UInt64(bitPattern: value)
    switch value {
    case 0...12: return [0xf1 + UInt8(value)]
    case -128..<128: return [0xfe] + little(bits, 1)
    case -32_768..<32_768: return [0xc0] + little(bits, 2)
    case -8_388_608..<8_388_608: return [0xf0] + little(bits, 3)
    case Int64(Int32.min)...Int64(Int32.max): return [0xd0] + little(bits, 4)
    default: return [0xe0] + little(bits, 8)
    }
  }
}

func intset(_ values: [Int64], width: Int) -> [UInt8] {
  little(UInt64(width), 4) + little(UInt64(values.count), 4)
    + values.flatMap { little(UInt64(bitPattern: $0), width) }
}

/// A stream node's listpack: entries with the master's one field, given as id differences.
func streamNode(
  _ entries: [(milliseconds: Int64, sequence: Int64, isDeleted: Bool)], live: Int64? = nil
) -> [UInt8] {
  let deleted = entries.filter(\.isDeleted).count
  let master: [Entry] = [
    .integer(live ?? Int64(entries.count - deleted)), .integer(Int64(deleted)), 1, "f", 0,
  ]
  return listpack(
    entries.reduce(master) { list, entry in
      list + [
        .integer(entry.isDeleted ? 3 : 2), .integer(entry.milliseconds),
        .integer(entry.sequence), "v", 4,
      ]
    })
}
