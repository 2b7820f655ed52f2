/// The number in a text as `strtod` reads it; nil when there is none, or more than it.
///
/// Scores are printed by `%.17g` or as the shortest text, so at most 64 bytes.
func score(in text: Span<UInt8>) -> Double? {
  if let simple = shortDecimal(in: text) { return simple }
  var bytes: [UInt8] = []
  for index in 0..<text.count {
    bytes.append(text[index])
  }
  return Double(String(decoding: bytes, as: UTF8.self))
}

// Up to 15 digits with at most 15 of them behind the point: numerator and power of ten are exact,
// so one division rounds correctly.
private func shortDecimal(in text: Span<UInt8>) -> Double? {
  guard text.count > 0, text.count <= 17 else { return nil }
  var index = text[0] == UInt8(ascii: "-") ? 1 : 0
  let isNegative = index == 1
  var digits: UInt64 = 0
  var digitCount = 0
  var divisor = 1.0
  var hasPoint = false
  while index < text.count {
    let byte = text[index]
    if byte == UInt8(ascii: ".") && !hasPoint {
      hasPoint = true
    } else {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
      digits = digits * 10 + UInt64(byte - UInt8(ascii: "0"))
      digitCount += 1
      if hasPoint { divisor *= 10 }
    }
    index += 1
  }
  guard digitCount > 0, digitCount <= 15 else { return nil }
  let magnitude = Double(digits) / divisor
  return isNegative ? -magnitude : magnitude
}
