import ArchiveStore
import Files
import FoundationEssentials
import Glibc
import Targets

/// The log of all restores beside the archives, one JSON object a line: who, when, from, to, result.
struct RestoreLog: Sendable {
  /// What a line tells.
  enum Event: String, Codable, Sendable {
    case started
    case restored
    case rolledBack = "rolled_back"
    case rollbackFailed = "rollback_failed"
    /// It was ended from another place, where it is not known how.
    case endedElsewhere = "ended_elsewhere"
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
    /// What tells the Redis from others, as in manifests.
    let target: String
    /// The pod that was found, as `namespace/pod`; nil elsewhere, and in older lines.
    let pod: String?
    /// Where the data lies; nil for single keys, which need no files.
    let directory: String?
    /// How many keys, where only some are restored.
    let keys: Int?

    enum CodingKeys: String, CodingKey {
      case time, event, user, archive, target, pod, directory, keys
    }

    /// Whether both are about one Redis, however it was named: where both know the pod, by that.
    func isAboutSame(as other: Line) -> Bool {
      if let pod, let otherPod = other.pod { return pod == otherPod }
      return target == other.target || target == other.pod || pod == other.target
    }
  }

  private static let maximumByteCount = 64 << 20
  private let path: String

  init(_ directory: ArchiveDirectory) {
    path = join(directory.path, "restores.jsonl")
  }

  /// Adds a line, durably.
  func append(_ event: Event, _ journal: RestoreJournal, source: TargetSource) throws {
    try append(
      Line(
        time: Date(), event: event, user: "\(getuid())", archive: journal.archive.name,
        target: source.identity, pod: source.podPath, directory: journal.settings.directory,
        keys: nil))
  }

  /// Adds a line about single keys, durably.
  func append(_ event: Event, archive: String, source: TargetSource, keys: Int) throws {
    try append(
      Line(
        time: Date(), event: event, user: "\(getuid())", archive: archive, target: source.identity,
        pod: source.podPath, directory: nil, keys: keys))
  }

  /// Adds a line where the last restore of a Redis began and never said here how it ended, but has ended.
  func noteEnd(of source: TargetSource) throws {
    guard let line = try unfinishedLine(of: source) else { return }
    try append(
      Line(
        time: Date(), event: .endedElsewhere, user: "\(getuid())", archive: line.archive,
        target: source.identity, pod: source.podPath, directory: line.directory, keys: nil))
  }

  private func append(_ line: Line) throws {
    let encoder = JSON.encoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let file = try OpenFile(appending: path)
    try file.write(Array(try encoder.encode(line)) + Array("\n".utf8))
    try file.sync()
  }

  /// Whether the last restore of a Redis began and never said how it ended.
  func isUnfinished(of source: TargetSource) throws -> Bool {
    try unfinishedLine(of: source) != nil
  }

  private func unfinishedLine(of source: TargetSource) throws -> Line? {
    let own = Line(
      time: Date(), event: .started, user: "", archive: "", target: source.identity,
      pod: source.podPath, directory: nil, keys: nil)
    return try unfinished().first { $0.isAboutSame(as: own) }
  }

  /// Where the data lies of a Redis whose last restore began and never said how it ended.
  func unfinishedDirectory(of source: TargetSource) throws -> String? {
    try unfinishedLine(of: source)?.directory
  }

  /// Each Redis whose last restore began and never said how it ended.
  func unfinishedTargets() throws -> Set<String> {
    Set(try unfinished().map(\.target))
  }

  /// The last line of each such Redis.
  private func unfinished() throws -> [Line] {
    guard let bytes = try FileTree.contents(of: path, limit: Self.maximumByteCount) else {
      return []
    }
    let decoder = JSON.decoder()
    var unfinished: [Line] = []
    for text in bytes.split(separator: UInt8(ascii: "\n")) {
      // A line that a power cut has shortened says nothing.
      guard let line = try? decoder.decode(Line.self, from: Data(text)) else { continue }
      unfinished.removeAll { $0.isAboutSame(as: line) }
      if line.event == .started || line.event == .rollbackFailed { unfinished.append(line) }
    }
    return unfinished
  }
}

extension TargetSource {
  /// The pod, however it was chosen; nil elsewhere.
  fileprivate var podPath: String? {
    guard let namespace, let pod else { return nil }
    return "\(namespace)/\(pod)"
  }
}
