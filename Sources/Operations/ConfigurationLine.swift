/// Words and quotes as Redis has them in `redis.conf` and in AOF manifests (`sdssplitargs`).
enum ConfigurationLine {
  /// The words of a line; nil when a quote is not closed.
  static func words(in line: some StringProtocol) -> [String]? {
    var bytes = Array(line.utf8)[...]
    var words: [String] = []
    while true {
      bytes = bytes.drop(while: isBlank)
      guard let first = bytes.first else { return words }
      var word: [UInt8] = []
      if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
        bytes.removeFirst()
        guard takeQuoted(by: first, from: &bytes, into: &word) else { return nil }
      } else {
        word = Array(bytes.prefix { !isBlank($0) })
        bytes = bytes.dropFirst(word.count)
      }
      words.append(String(decoding: word, as: UTF8.self))
    }
  }

  /// Takes a word up to its closing quote, behind which a blank or the end must come.
  private static func takeQuoted(
    by quote: UInt8, from bytes: inout ArraySlice<UInt8>, into word: inout [UInt8]
  ) -> Bool {
    while let byte = bytes.popFirst() {
      if byte == quote { return bytes.first.map(isBlank) ?? true }
      guard byte == UInt8(ascii: "\\"), let next = bytes.first else {
        word.append(byte)
        continue
      }
      if quote == UInt8(ascii: "'") {
        // Inside single quotes only the quote itself can be escaped.
        word.append(next == quote ? next : byte)
        if next == quote { bytes.removeFirst() }
      } else if next == UInt8(ascii: "x"), let value = hexadecimal(bytes.dropFirst().prefix(2)) {
        word.append(value)
        bytes = bytes.dropFirst(3)
      } else {
        word.append(unescaped(next))
        bytes.removeFirst()
      }
    }
    return false
  }

  private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> UInt8? {
    guard digits.count == 2 else { return nil }
    return UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
  }

  /// A name as a server writes it: in quotes where it holds a blank or a quote.
  static func quoted(_ name: String) -> String {
    let special: Set<Character> = [" ", "\"", "'", "\\", "\n", "\r", "\t"]
    guard name.isEmpty || name.contains(where: special.contains) else { return name }
    var text = "\""
    for character in name {
      switch character {
      case "\"", "\\": text += "\\\(character)"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      default: text.append(character)
      }
    }
    return text + "\""
  }

  private static func isBlank(_ byte: UInt8) -> Bool {
    [UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n")].contains(byte)
  }

  private static func unescaped(_ byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "n"): UInt8(ascii: "\n")
    case UInt8(ascii: "r"): UInt8(ascii: "\r")
    case UInt8(ascii: "t"): UInt8(ascii: "\t")
    default: byte
    }
  }
}
