// Names and keys are bytes. In JSON they are text where they are UTF-8, base64 elsewhere.

extension KeyedEncodingContainer {
  /// Encodes bytes as text where they are UTF-8, otherwise under the other key as base64.
  public mutating func encodeBytes(_ bytes: [UInt8], text: Key, base64: Key) throws {
    if let string = String(validating: bytes, as: UTF8.self) {
      try encode(string, forKey: text)
    } else {
      try encode(base64Encoded(bytes), forKey: base64)
    }
  }
}

extension KeyedDecodingContainer {
  func decodeBytes(text: Key, base64: Key) throws -> [UInt8] {
    guard contains(base64) else { return Array(try decode(String.self, forKey: text).utf8) }
    guard let bytes = base64Decoded(try decode(String.self, forKey: base64)) else {
      throw DecodingError.dataCorruptedError(
        forKey: base64, in: self, debugDescription: "no base64 text")
    }
    return bytes
  }
}

private let base64Alphabet = Array(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

func base64Encoded(_ bytes: [UInt8]) -> String {
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  for start in stride(from: 0, to: bytes.count, by: 3) {
    let group = bytes[start..<min(start + 3, bytes.count)]
    var bits = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    bits <<= UInt32(8 * (3 - group.count))
    for index in 0..<4 {
      let digit = Int(bits >> UInt32(18 - 6 * index) & 0x3f)
      text.append(index <= group.count ? base64Alphabet[digit] : UInt8(ascii: "="))
    }
  }
  return String(decoding: text, as: UTF8.self)
}

func base64Decoded(_ text: String) -> [UInt8]? {
  let digits = Array(text.utf8)
  guard digits.count % 4 == 0 else { return nil }
  let padding = digits.suffix(2).reversed().prefix { $0 == UInt8(ascii: "=") }.count
  var bytes: [UInt8] = []
  var bits: UInt32 = 0
  for (index, digit) in digits.dropLast(padding).enumerated() {
    guard let value = base64Alphabet.firstIndex(of: digit) else { return nil }
    bits = bits << 6 | UInt32(value)
    // Digits 1, 2 and 3 of a group each complete a byte.
    if index % 4 > 0 {
      bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(6 - 2 * (index % 4))))
    }
  }
  return bytes
}
