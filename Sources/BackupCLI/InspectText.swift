import FoundationEssentials
import Operations
import RDBFormat

/// What is inside a dump, for people.
enum InspectText {
  private static let listedStreams = 20
  private static let listedFindings = 20

  static func text(_ path: String, _ summary: RDBSummary) -> String {
    let content = summary.content
    var lines = [path, "  " + heading(summary), ""]
    lines.append("  keys       \(content.keys), \(content.expires) with an expiry time")
    for database in content.databases {
      lines.append(
        "    db\(database.index): \(database.keys), \(database.expires) with an expiry time"
          + (database.expiredKeys > 0 ? ", \(database.expiredKeys) of them expired by now" : ""))
    }
    lines.append("  types      " + types(content.types))
    lines.append("  functions  " + Figures.count(content.functions, "library", "libraries"))
    if !summary.moduleNames.isEmpty {
      lines.append("  modules    " + summary.moduleNames.joined(separator: ", "))
    }
    lines.append("  streams    \(content.streamsTotal)")
    for stream in content.streams.prefix(listedStreams) { lines += self.lines(of: stream) }
    if content.streamsTotal > UInt64(listedStreams) {
      lines.append(
        "    … and \(content.streamsTotal - UInt64(listedStreams)) more (--json lists them)")
    }
    lines.append("  largest keys")
    let table = summary.largestKeys.map { key in
      [
        "    db\(key.database)", Figures.bytes(key.bytes), key.type.rawValue, key.encoding,
        "\(key.elements)", Shown.name(key.key, limit: 80),
      ]
    }
    let rows = Table.text(["    DB", "BYTES", "TYPE", "ENCODING", "ELEMENTS", "KEY"], table)
    return lines.joined(separator: "\n") + "\n" + (table.isEmpty ? "    none\n" : rows)
      + findings(summary)
  }

  private static func heading(_ summary: RDBSummary) -> String {
    var parts = [
      "\(summary.format.rawValue) RDB version \(summary.version)", Figures.bytes(summary.byteCount),
      summary.checksum == .valid ? "checksum valid" : "no checksum",
    ]
    if let version = summary.aux["valkey-ver"] { parts.append("by Valkey \(version)") }
    if let version = summary.aux["redis-ver"] { parts.append("by Redis \(version)") }
    if let seconds = summary.aux["ctime"].flatMap(Int64.init) {
      parts.append("written " + Shown.date(Double(seconds)).formatted(.iso8601))
    }
    return parts.joined(separator: ", ")
  }

  private static func types(_ types: TypeCounts) -> String {
    let present = ValueType.allCases.filter { types[$0] > 0 }
    return present.isEmpty
      ? "none" : present.map { "\($0.rawValue) \(types[$0])" }.joined(separator: ", ")
  }

  private static func lines(of stream: StreamSummary) -> [String] {
    var lines = [
      "    \(Shown.name(stream.key, limit: 80)) (db\(stream.database)): "
        + Figures.count(stream.length, "entry", "entries")
    ]
    if let first = stream.firstID, let last = stream.lastID { lines[0] += ", \(first) to \(last)" }
    for group in stream.groups {
      var line = "      group \(Shown.name(group.name, limit: 80)): \(group.pending) pending"
      if let dangling = group.dangling, dangling > 0 { line += " (\(dangling) of deleted entries)" }
      if let read = group.entriesRead { line += ", \(read) read" }
      line += ", last delivered \(group.lastDeliveredID)"
      lines.append(line)
      for consumer in group.consumers {
        lines.append("        \(Shown.name(consumer.name, limit: 80)): \(consumer.pending) pending")
      }
    }
    return lines
  }

  private static func findings(_ summary: RDBSummary) -> String {
    guard !summary.findings.isEmpty else { return "" }
    let rest = summary.findings.count - listedFindings
    return "  to know\n"
      + summary.findings.prefix(listedFindings).map { "    \($0)\n" }.joined()
      + (rest > 0 ? "    … and \(rest) more (verify --json lists them)\n" : "")
  }
}
