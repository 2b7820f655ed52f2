import Testing

@testable import RDBFormat

struct ScoreTests {
  private func read(_ text: String) -> Double? {
    score(in: Array(text.utf8).span)
  }

  @Test(arguments: [
    "0", "-0", "1", "-1.5", "0.1", "3.0000000000000004", "0.30000000000000004",
    "9007199254740993", "9007199254740992.5", "18446744073709551615", "9999999999999999999",
    "0.9999999999999999999", "-1234567890.123456789", "1e300", "-2.5e-05", "inf", "-inf",
    "4.9406564584124654e-324", "00012.50", ".5", "5.",
  ])
  func `a score is what strtod makes of it`(text: String) {
    #expect(read(text)?.bitPattern == Double(text)?.bitPattern)
  }

  @Test(arguments: ["", "-", ".", "-.", "1.2.3", "x", "1x", "--1", "12345678901234567890x"])
  func `what is no number has no score`(text: String) {
    #expect(read(text) == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `any decimal is rounded to the nearest double`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    for _ in 0..<500 {
      let digits = String(UInt64.random(in: .min ... .max, using: &random) >> random.next() % 64)
      var text = String(digits.prefix(19))
      let point = Int.random(in: 0...text.count, using: &random)
      text.insert(".", at: text.index(text.startIndex, offsetBy: point))
      if text.count == 1 { continue }
      if Bool.random(using: &random) { text = "-" + text }
      #expect(read(text)?.bitPattern == Double(text)?.bitPattern, "\(text), seed \(seed)")
      let double = Double(bitPattern: random.next())
      if double.isFinite { #expect(read("\(double)") == double, "\(double), seed \(seed)") }
    }
  }
}
