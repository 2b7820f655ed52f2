/// A small random number generator whose whole state is its seed, so that a failure can be repeated.
public struct SplitMix: RandomNumberGenerator, Sendable {
  private var state: UInt64

  /// Makes a generator; the same seed gives the same numbers everywhere.
  public init(seed: UInt64) {
    state = seed
  }

  /// The next number.
  ///
  /// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
  public mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// Bytes, each of any value.
  public mutating func bytes(count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count)
    while bytes.count < count { bytes.append(UInt8(truncatingIfNeeded: next())) }
    return bytes
  }
}

extension Array where Element == UInt8 {
  /// The same bytes in parts of random length, some empty.
  public func split(using random: inout SplitMix, maximumByteCount: Int = 64) -> [[UInt8]] {
    var parts: [[UInt8]] = []
    var rest = self[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int.random(in: 0...maximumByteCount, using: &random))
      parts.append(Array(part))
      rest = rest.dropFirst(part.count)
    }
    return parts
  }
}
