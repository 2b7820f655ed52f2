/// The manifest of a multi-part append-only file (Redis 7.0 and later, `aof.c`): which files the server
/// loads at its next start, in order.
struct AOFManifest: Sendable, Equatable {
  /// One line of it.
  struct File: Sendable, Equatable {
    /// The name in the directory of the append-only file.
    let name: String
    /// The sequence number.
    let sequence: Int64
    /// "b" for the base, "i" for increments, "h" for history that is to be deleted.
    let type: String
  }

  /// The lines, in their order.
  let files: [File]

  /// The highest sequence number, 0 when there is no line.
  var highestSequence: Int64 { files.map(\.sequence).max() ?? 0 }

  init(files: [File]) {
    self.files = files
  }

  /// Reads a manifest; nil when a line is not one that a server writes.
  init?(_ text: String) {
    var files: [File] = []
    for line in text.split(separator: "\n") where !line.hasPrefix("#") {
      guard let words = ConfigurationLine.words(in: line), words.count.isMultiple(of: 2) else {
        return nil
      }
      var fields: [String: String] = [:]
      for index in stride(from: 0, to: words.count, by: 2) {
        fields[words[index].lowercased()] = words[index + 1]
      }
      guard let name = fields["file"], let sequence = fields["seq"].flatMap(Int64.init),
        let type = fields["type"], !name.contains("/"), !name.isEmpty
      else { return nil }
      files.append(File(name: name, sequence: sequence, type: type))
    }
    self.files = files
  }

  /// The manifest as the server reads it.
  var text: String {
    files.map {
      "file \(ConfigurationLine.quoted($0.name)) seq \($0.sequence) type \($0.type)\n"
    }.joined()
  }
}
