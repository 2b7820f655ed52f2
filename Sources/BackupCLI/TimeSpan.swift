import ArgumentParser

/// A span of time on the command line: a number and one of `s m h d w`.
struct TimeSpan: Sendable, Equatable {
  let duration: Duration

  /// Reads an option's value.
  ///
  /// - Throws: `ValidationError`.
  static func parse(_ text: String) throws -> TimeSpan {
    guard let span = TimeSpan(text) else {
      throw ValidationError("\"\(text)\" is not \(expected)")
    }
    return span
  }

  /// What a span looks like.
  static let expected = "a number and one of s m h d w, such as 90s"

  init?(_ argument: String) {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
    guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()),
      number > 0, number < 1_000_000_000
    else { return nil }
    duration = .seconds(number * unit)
  }
}
