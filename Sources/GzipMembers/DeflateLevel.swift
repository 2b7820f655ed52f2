/// The level to use where nobody asked for another.
///
/// Level 6 here lies between levels 5 and 6 of zlib: on dumps its size is within 1 % of that of
/// `gzip -6`, its time about three quarters.
public let defaultCompressionLevel = 6

/// How hard deflate looks for repetitions.
struct DeflateLevel: Sendable {
  /// A level of zlib.
  let number: Int32
  /// Tuned like zlib's own table of levels (`deflate.c`), where none of its rows serves.
  let tuning: Tuning?

  struct Tuning: Sendable {
    let goodLength: Int32
    let maximumLazyLength: Int32
    let niceLength: Int32
    let maximumChainLength: Int32
  }

  /// - Parameter level: 1 to 9; a number outside counts as the nearer end.
  init(_ level: Int) {
    number = Int32(min(max(level, 1), 9))
    // Level 5 has nice length 32 and chain length 32, level 6 has 128 and 128.
    tuning =
      number == 6
      ? Tuning(goodLength: 8, maximumLazyLength: 16, niceLength: 48, maximumChainLength: 48) : nil
  }
}
