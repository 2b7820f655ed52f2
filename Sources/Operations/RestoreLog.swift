import ArchiveStore
import Files
import FoundationEssentials
import Glibc

/// The log of all restores beside the archives, one JSON object a line: who, when, from, to, result.
struct RestoreLog: Sendable {
  /// What a line tells.
  enum Event: String, Codable, Sendable {
    case started
    case restored
    case rolledBack = "rolled_back"
    case rollbackFailed = "rollback_failed"
    case keysStarted = "keys_started"
    case keysRestored = "keys_restored"
    case keysFailed = "keys_failed"
  }

  /// A line.
  struct Line: Codable, Sendable {
    let time: Date
    let event: Event
    let user: String
    let archive: String
    let target: String
    /// Where the data lies; nil for single keys, which need no files.
    let directory: String?
    /// How many keys, where only some are restored.
    let keys: Int?

    enum CodingKeys: String, CodingKey {
      case time, event, user, archive, target, directory, keys
    }
  }

  private static let maximumByteCount = 64 << 20
  private let path: String

  init(_ directory: ArchiveDirectory) {
    path = join(directory.path, "restores.jsonl")
  }

  /// Adds a line, durably.
  func append(_ event: Event, _ journal: RestoreJournal, source: String) throws {
    try append(
      Line(
        time: Date(), event: event, user: "\(getuid())", archive: journal.archive.name,
        target: source, directory: journal.settings.directory, keys: nil))
  }

  /// Adds a line about single keys, durably.
  func append(_ event: Event, archive: String, target: String, keys: Int) throws {
    try append(
      Line(
        time: Date(), event: event, user: "\(getuid())", archive: archive, target: target,
        directory: nil, keys: keys))
  }

  private func append(_ line: Line) throws {
    let encoder = JSON.encoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let file = try OpenFile(appending: path)
    try file.write(Array(try encoder.encode(line)) + Array("\n".utf8))
    try file.sync()
  }

  /// Whether the last restore of a Redis began and never said how it ended.
  func isUnfinished(source: String) throws -> Bool {
    try unfinishedTargets().contains(source)
  }

  /// Each Redis whose last restore began and never said how it ended.
  func unfinishedTargets() throws -> Set<String> {
    guard let bytes = try FileTree.contents(of: path, limit: Self.maximumByteCount) else {
      return []
    }
    let decoder = JSON.decoder()
    var last: [String: Event] = [:]
    for text in bytes.split(separator: UInt8(ascii: "\n")) {
      // A line that a power cut has shortened says nothing.
      guard let line = try? decoder.decode(Line.self, from: Data(text)) else { continue }
      last[line.target] = line.event
    }
    return Set(last.filter { $0.value == .started || $0.value == .rollbackFailed }.keys)
  }
}
