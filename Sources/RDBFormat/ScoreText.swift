/// The number in a text as `strtod` reads it; nil when there is none, or more than it.
///
/// Scores are printed by `%.17g` or as the shortest text, so at most 64 bytes.
func score(in text: Span<UInt8>) -> Double? {
  if let simple = plainDecimal(in: text) { return simple }
  var bytes: [UInt8] = []
  for index in 0..<text.count {
    bytes.append(text[index])
  }
  return Double(String(decoding: bytes, as: UTF8.self))
}

// Digits with at most one point among them, which is nearly every score: a quotient of two integers of
// 64 bits.
private func plainDecimal(in text: Span<UInt8>) -> Double? {
  guard text.count > 0, text.count <= 21 else { return nil }
  let isNegative = text[0] == UInt8(ascii: "-")
  var digits: UInt64 = 0
  var digitCount = 0
  var divisor: UInt64 = 1
  var hasPoint = false
  for index in (isNegative ? 1 : 0)..<text.count {
    let byte = text[index]
    if byte == UInt8(ascii: ".") && !hasPoint {
      hasPoint = true
      continue
    }
    // Nineteen digits are less than 2^64, and so is the power of ten that they ask for.
    guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9"), digitCount < 19 else { return nil }
    digits = digits &* 10 &+ UInt64(byte &- UInt8(ascii: "0"))
    digitCount += 1
    if hasPoint { divisor = divisor &* 10 }
  }
  guard digitCount > 0 else { return nil }
  let magnitude = quotient(digits, divisor)
  return isNegative ? -magnitude : magnitude
}

// The double that is nearest to the exact quotient; the divisor is not 0.
private func quotient(_ dividend: UInt64, _ divisor: UInt64) -> Double {
  guard dividend > 0, divisor > 1 else { return Double(dividend) }
  // Both with their highest bit set, so that the quotient has at least 63 bits, ten more than a double
  // keeps; the last one tells whether there are more, for a number in the middle between two doubles.
  let shift = divisor.leadingZeroBitCount - dividend.leadingZeroBitCount
  let high = dividend << UInt64(dividend.leadingZeroBitCount)
  let divided = (divisor << UInt64(divisor.leadingZeroBitCount))
    .dividingFullWidth((high >> 1, high << 63))
  let significand = divided.quotient | (divided.remainder == 0 ? 0 : 1)
  return Double(sign: .plus, exponent: shift - 63, significand: Double(significand))
}
