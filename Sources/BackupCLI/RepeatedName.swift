import FoundationEssentials

/// The first name that an object of a JSON document has twice, which decoders overlook.
enum RepeatedName {
  /// An object or an array that has not ended.
  private struct Level {
    let isObject: Bool
    var names: Set<String> = []
    /// The name whose value is being read.
    var name: String?
  }

  /// Finds it.
  ///
  /// - Parameter document: What a decoder has accepted.
  /// - Returns: The names that lead to it, with points between them; nil where each is there once.
  static func first(in document: [UInt8]) -> String? {
    var levels: [Level] = []
    var rest = document[...]
    while let byte = rest.popFirst() {
      let last = levels.count - 1
      switch byte {
      case UInt8(ascii: "{"): levels.append(Level(isObject: true))
      case UInt8(ascii: "["): levels.append(Level(isObject: false))
      case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = levels.popLast()
      case UInt8(ascii: ",") where last >= 0: levels[last].name = nil
      case UInt8(ascii: "\""):
        let text = string(from: &rest)
        guard last >= 0, levels[last].isObject, levels[last].name == nil else { continue }
        levels[last].name = text
        guard levels[last].names.insert(text).inserted else {
          return levels.compactMap(\.name).joined(separator: ".")
        }
      default: break
      }
    }
    return nil
  }

  /// Takes a string whose first quotation mark has been taken.
  private static func string(from rest: inout ArraySlice<UInt8>) -> String {
    var text = [UInt8(ascii: "\"")]
    while let byte = rest.popFirst() {
      text.append(byte)
      if byte == UInt8(ascii: "\"") { break }
      if byte == UInt8(ascii: "\\"), let next = rest.popFirst() { text.append(next) }
    }
    // The same name can be spelt in several ways.
    return (try? JSONDecoder().decode(String.self, from: Data(text)))
      ?? String(decoding: text, as: UTF8.self)
  }
}
