/// How far two words are from each other.
enum Spelling {
  /// The characters to insert, remove or replace until one word is the other.
  static func distance(_ word: String, _ other: String) -> Int {
    let other = Array(other)
    var distances = Array(0...other.count)
    for (row, character) in word.enumerated() {
      var diagonal = row
      distances[0] = row + 1
      for (column, otherCharacter) in other.enumerated() {
        let replaced = diagonal + (character == otherCharacter ? 0 : 1)
        diagonal = distances[column + 1]
        distances[column + 1] = min(replaced, diagonal + 1, distances[column] + 1)
      }
    }
    return distances[other.count]
  }

  /// The name that a word was probably meant to be: one that begins with it, or else the one with the fewest
  /// changes; nil where there are no names.
  static func nearest(to word: String, among names: [String]) -> String? {
    let longer = names.filter { $0.hasPrefix(word) }
    return (longer.isEmpty ? names : longer)
      .map { (name: $0, distance: distance($0, word)) }
      .min { $0.distance < $1.distance }?.name
  }
}
