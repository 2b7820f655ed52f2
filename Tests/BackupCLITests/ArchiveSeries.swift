import FoundationEssentials

/// A directory with archives of many nights, made of one real archive by copying.
struct ArchiveSeries {
  /// The directory.
  let directory: String

  /// Takes the one archive of a directory away, so that copies of it can take its place.
  init(in directory: String) throws {
    self.directory = directory
    let names = try names(in: directory).filter { $0.hasPrefix("redis-dump-") }
    let name = names.first?.split(separator: ".").first.map(String.init) ?? ""
    let path = "\(directory)/\(name)"
    archive = try Data(contentsOf: URL(filePath: path + ".rdb.gz"))
    manifest = try String(contentsOfFile: path + ".json", encoding: .utf8)
    self.name = name
    for name in names { try FileManager.default.removeItem(atPath: "\(directory)/\(name)") }
  }

  private let name: String
  private let archive: Data
  private let manifest: String

  /// The name of an archive of some time ago.
  static func name(ago seconds: Double) -> String {
    let format = Date.ISO8601FormatStyle(
      dateSeparator: .omitted, dateTimeSeparator: .standard, timeSeparator: .omitted)
    return "redis-dump-" + (Date() - seconds).formatted(format)
  }

  /// Puts a copy there under another name.
  ///
  /// - Parameter changes: Text of the manifest and what takes its place.
  func add(_ name: String, _ changes: [(String, String)] = []) throws {
    let path = "\(directory)/\(name)"
    var text = manifest.replacing(self.name, with: name)
    // The server's clock is of another time than the new name's.
    text = text.replacing("\"ctime\"", with: "\"old-ctime\"")
    for (old, new) in changes { text = text.replacing(old, with: new) }
    try archive.write(to: URL(filePath: path + ".rdb.gz"))
    let digest = manifest.split(separator: "\"sha256\" : \"").dropFirst().first?.prefix(64) ?? ""
    try Data("\(digest)  \(name).rdb.gz\n".utf8).write(to: URL(filePath: path + ".rdb.gz.sha256"))
    try Data(text.utf8).write(to: URL(filePath: path + ".json"))
  }
}
