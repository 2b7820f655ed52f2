import ArgumentParser

/// A span of time on the command line: a number and one of `s m h d w`.
struct TimeSpan: ExpressibleByArgument, Sendable, Equatable {
  let duration: Duration

  init?(argument: String) {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604_800]
    guard let unit = argument.last.flatMap({ units[$0] }), let number = Int64(argument.dropLast()),
      number > 0, number < 1_000_000_000
    else { return nil }
    duration = .seconds(number * unit)
  }
}
