/// SplitMix64: the same numbers for the same seed.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var word = state
    word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
    word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
    return word ^ (word >> 31)
  }
}

enum Seed {
  /// Seeds that differ from run to run; a failing test prints its own as the argument.
  static func fresh(_ count: Int) -> [UInt64] {
    (0..<count).map { _ in UInt64.random(in: 0...UInt64.max) }
  }
}

extension [[UInt8]] {
  /// All the bytes in order; `joined()` is slow in a debug build.
  var together: [UInt8] { reduce(into: []) { $0 += $1 } }
}

extension [UInt8] {
  /// Bytes like those of a dump: runs, words, and stretches that cannot be deflated.
  static func mixed(_ count: Int, using random: inout SplitMix) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 20_000)
    let words = (0..<50).map { _ in noise(Int.random(in: 1...12, using: &random), using: &random) }
    while bytes.count < count {
      switch Int.random(in: 0..<10, using: &random) {
      case 0: bytes += noise(Int.random(in: 0...20_000, using: &random), using: &random)
      case 1: bytes += Array(repeating: 7, count: Int.random(in: 0...5_000, using: &random))
      default:
        for _ in 0..<Int.random(in: 1...1_000, using: &random) {
          bytes += words[Int.random(in: 0..<50, using: &random)]
        }
      }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  static func noise(_ count: Int, using random: inout SplitMix) -> [UInt8] {
    let words = (0..<(count / 8 + 1)).map { _ in random.next() }
    return unsafe words.withUnsafeBytes { unsafe Array($0.prefix(count)) }
  }

  /// The same bytes in pieces of 0 to `largest` bytes.
  func split(largest: Int, using random: inout SplitMix) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = self[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 0...largest, using: &random))
      pieces.append(Array(piece))
      rest = rest.dropFirst(piece.count)
    }
    return pieces
  }
}
