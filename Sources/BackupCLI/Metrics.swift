import ArchiveStore
import FoundationEssentials
import Operations
import RDBFormat

/// Figures in the text format of Prometheus: families of samples, each sample one line.
struct Metrics: Equatable {
  /// A family: what is measured, and what it means.
  private struct Family {
    let name: String
    let help: String
  }

  static let prefix = "raibid_backup_"

  private static let families = [
    Family(name: "last_attempt_timestamp_seconds", help: "When create was last run."),
    Family(
      name: "last_success_timestamp_seconds", help: "When the newest verified archive was made."),
    Family(
      name: "last_verified_timestamp_seconds", help: "When an archive was last found whole."),
    Family(name: "last_exit_code", help: "How the last run of create ended; 0 is success."),
    Family(name: "duration_seconds", help: "How long the parts of the last run of create took."),
    Family(name: "rdb_bytes", help: "The size of the dump in the newest verified archive."),
    Family(name: "archive_bytes", help: "The size of the newest verified archive."),
    Family(name: "keys", help: "The keys in the newest verified archive."),
    Family(name: "stream_entries", help: "The entries of its streams."),
    Family(name: "stream_pending", help: "The pending entries of the groups of its streams."),
    Family(name: "archives", help: "The archives by state."),
    Family(name: "build_info", help: "The version of raibid-backup, as a label."),
  ]

  /// The lines of each family, and within it of each Redis.
  private var lines: [String: [String: [String]]] = [:]

  /// No figures.
  init() {}

  /// The figures that an earlier run has written; what is not a line of ours is left out.
  init(parsing text: String) {
    for line in text.split(whereSeparator: \.isNewline) where !line.hasPrefix("#") {
      guard line.hasPrefix(Self.prefix), let brace = line.firstIndex(of: "{"),
        let source = line.firstMatch(of: /source="((?:[^"\\]|\\.)*)"/)?.1,
        line.split(separator: " ").last.flatMap({ Double($0) }) != nil
      else { continue }
      let family = String(line[..<brace].dropFirst(Self.prefix.count))
      lines[family, default: [:]][String(source), default: []].append(String(line))
    }
  }

  /// Puts samples in the place of all that a family has of a Redis.
  mutating func set(
    _ family: String, of source: String, _ samples: [(labels: [(String, String)], value: String)]
  ) {
    lines[family, default: [:]][Self.escaped(source)] = samples.map { labels, value in
      let text = ([("source", source)] + labels)
        .map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
      return "\(Self.prefix)\(family){\(text)} \(value)"
    }
  }

  /// Puts one sample in the place of all that a family has of a Redis.
  mutating func set(_ family: String, of source: String, _ value: some BinaryInteger) {
    set(family, of: source, [(labels: [], value: "\(value)")])
  }

  /// The whole text.
  var text: String {
    Self.families.map { family in
      let samples = (lines[family.name] ?? [:]).sorted { $0.key < $1.key }.flatMap(\.value)
      guard !samples.isEmpty else { return "" }
      let name = Self.prefix + family.name
      return "# HELP \(name) \(family.help)\n# TYPE \(name) gauge\n"
        + samples.joined(separator: "\n") + "\n"
    }.joined()
  }

  private static func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
      .replacing("\n", with: "\\n").replacing("\r", with: "\\\\r")
  }
}

extension Metrics {
  /// What a directory says of a Redis, whatever this run did.
  ///
  /// - Parameter now: What is dated after it says nothing of when the last backup was made.
  mutating func set(_ archives: [ArchiveEntry], of source: String, now: Date) {
    let own = archives.filter { $0.source == nil || $0.source == source }
    set(
      "archives", of: source,
      [ArchiveEntry.State.verified, .unverified, .damaged].map { state in
        (
          labels: [("state", state.rawValue)],
          value: "\(own.count { $0.state == state })"
        )
      })
    let counted = own.filter {
      $0.source == source && RetentionCandidate($0)?.counts == true
    }
    let manifests = counted.compactMap(\.manifest).filter { $0.createdAt <= now }
    guard let newest = manifests.first else { return }
    set("last_success_timestamp_seconds", of: source, Self.seconds(newest.createdAt))
    let verified = manifests.compactMap(\.verification.verifiedAt).filter { $0 <= now }.max()
    set(
      "last_verified_timestamp_seconds", of: source, Self.seconds(verified ?? newest.createdAt))
    set("rdb_bytes", of: source, newest.rdb.bytes)
    set("archive_bytes", of: source, newest.archive.bytes)
    set("keys", of: source, newest.content.keys)
    set(newest.content.streams, of: source)
  }

  private mutating func set(_ streams: [StreamSummary], of source: String) {
    func labels(_ stream: StreamSummary) -> [(String, String)] {
      [("database", "\(stream.database)"), ("stream", Self.printable(stream.key))]
    }
    set(
      "stream_entries", of: source,
      streams.map { (labels: labels($0), value: "\($0.length)") })
    set(
      "stream_pending", of: source,
      streams.flatMap { stream in
        stream.groups.map { group in
          (
            labels: labels(stream) + [("group", Self.printable(group.name))],
            value: "\(group.pending)"
          )
        }
      })
  }

  static func seconds(_ date: Date) -> Int {
    Int(min(max(date.timeIntervalSince1970, 0), 1e12))
  }

  /// A name that is any bytes, as text that no other name has.
  private static func printable(_ name: [UInt8]) -> String {
    if let text = String(validating: name, as: UTF8.self), !text.contains("\\x") { return text }
    return name.map { byte in
      let digits = String(byte, radix: 16)
      return (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\\")
        ? String(UnicodeScalar(byte)) : "\\x" + (digits.count == 1 ? "0" : "") + digits
    }.joined()
  }
}
