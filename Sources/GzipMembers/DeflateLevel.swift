/// The level to use where nobody asked for another.
///
/// Level 6 here lies between levels 5 and 6 of zlib: on dumps its size is within 1 % of that of
/// `pigz -6`, with some room, and its time about four fifths.
public let defaultCompressionLevel = 6

/// How hard deflate looks for repetitions.
struct DeflateLevel: Sendable {
  /// A level of zlib.
  let number: Int32
  /// Tuned like zlib's own table of levels (`deflate.c`), where none of its rows serves.
  let tuning: Tuning?

  /// Whether nothing is looked for at all.
  var stores: Bool { number == 0 }

  struct Tuning: Sendable {
    let goodLength: Int32
    let maximumLazyLength: Int32
    let niceLength: Int32
    let maximumChainLength: Int32
  }

  /// - Parameter level: 0 to 9, where 0 only stores; a number outside counts as the nearer end.
  init(_ level: Int) {
    number = Int32(min(max(level, 0), 9))
    // Level 5 has (8, 16, 32, 32), level 6 (8, 16, 128, 128). On mixed keys, against level 6 of zlib: chains
    // of 48 take 0.74 of the time and 1.2 % more space, 64 0.78 and 0.8 %, 80 0.83 and 0.6 %. A good length of 4
    // costs nothing in size and 2 % less time than 8.
    tuning =
      number == 6
      ? Tuning(goodLength: 4, maximumLazyLength: 16, niceLength: 64, maximumChainLength: 64) : nil
  }
}
