/// A pattern for keys, as the commands KEYS and SCAN take it: `*`, `?`, `[a-z]`, `[^a]`, and `\` before a
/// character that stands for itself.
///
/// Source: `stringmatchlen` in `src/util.c` of Redis 7.0. Here bytes are without sign, as on Arm.
struct KeyPattern: Sendable, Equatable {
  private enum Part: Sendable, Equatable {
    case anything
    case any
    case byte(UInt8)
    case one(of: [Bool])
  }

  private var parts: [Part] = []

  /// Reads a pattern; every text is one.
  init(_ text: some Collection<UInt8>) {
    var rest = Array(text)[...]
    while let first = rest.popFirst() {
      switch first {
      case UInt8(ascii: "*"):
        if parts.last != .anything { parts.append(.anything) }
      case UInt8(ascii: "?"): parts.append(.any)
      case UInt8(ascii: "["): parts.append(.one(of: Self.set(&rest)))
      case UInt8(ascii: "\\"): parts.append(.byte(rest.popFirst() ?? first))
      default: parts.append(.byte(first))
      }
    }
  }

  /// Whether a key fits as a whole. Takes at most the product of both lengths.
  func matches(_ key: [UInt8]) -> Bool {
    var part = 0
    var index = 0
    // Only the last `*` has to be tried with more: what the others took is settled by what follows them.
    var retry: (part: Int, index: Int)?
    while true {
      if part < parts.count, parts[part] == .anything {
        retry = (part + 1, index)
        part += 1
        continue
      }
      if index == key.count {
        return part == parts.count
      }
      if part < parts.count, fits(parts[part], key[index]) {
        part += 1
        index += 1
        continue
      }
      guard let last = retry else { return false }
      retry = (last.part, last.index + 1)
      (part, index) = (last.part, last.index + 1)
    }
  }

  private func fits(_ part: Part, _ byte: UInt8) -> Bool {
    switch part {
    case .any, .anything: true
    case .byte(let wanted): wanted == byte
    case .one(let set): set[Int(byte)]
    }
  }

  /// The bytes of a class, whose opening bracket is gone; one that is not closed ends with the pattern.
  private static func set(_ rest: inout ArraySlice<UInt8>) -> [Bool] {
    var set = [Bool](repeating: false, count: 256)
    let isNegated = rest.first == UInt8(ascii: "^")
    if isNegated { rest.removeFirst() }
    while let first = rest.popFirst() {
      if first == UInt8(ascii: "\\"), let escaped = rest.popFirst() {
        set[Int(escaped)] = true
      } else if first == UInt8(ascii: "]") {
        break
      } else if rest.count >= 2, rest.first == UInt8(ascii: "-") {
        let last = rest[rest.startIndex + 1]
        rest.removeFirst(2)
        for byte in min(first, last)...max(first, last) { set[Int(byte)] = true }
      } else {
        set[Int(first)] = true
      }
    }
    return isNegated ? set.map { !$0 } : set
  }
}
