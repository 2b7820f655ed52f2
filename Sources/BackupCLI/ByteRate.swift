import ArgumentParser

/// A number of bytes per second on the command line: a number, alone or with one of `K M G`.
struct ByteRate: Sendable, Equatable {
  let bytesPerSecond: UInt64

  /// Reads an option's value.
  ///
  /// - Throws: `ValidationError`.
  static func parse(_ text: String) throws -> ByteRate {
    guard let rate = ByteRate(text) else {
      throw ValidationError("\"\(text)\" is not a number of bytes, alone or with K, M or G")
    }
    return rate
  }

  /// The letters mean powers of 1024, as for curl and rsync, and may be small.
  init?(_ argument: String) {
    let units: [Character: UInt64] = ["K": 1 << 10, "M": 1 << 20, "G": 1 << 30]
    let unit = argument.last.flatMap { units[Character($0.uppercased())] }
    let digits = unit == nil ? argument[...] : argument.dropLast()
    guard digits.allSatisfy(\.isASCII), let number = UInt64(digits), number > 0,
      number <= 1 << 32
    else { return nil }
    bytesPerSecond = number * (unit ?? 1)
  }
}
