import RDBFormat
import RedisClient

/// One stream of a dump beside the same stream of a server.
struct StreamComparison {
  let expected: StreamSummary
  let found: StreamState

  /// Every difference, as a lower-case fact.
  ///
  /// - Parameter writesSeen: Whether somebody has written meanwhile; then only what no reader or writer
  ///   can undo is compared.
  func differences(writesSeen: Bool) -> [String] {
    var differences: [String] = []
    func compare<Value: Equatable>(_ name: String, _ expected: Value?, _ found: Value?) {
      // What one side does not know cannot differ.
      guard let expected, let found, expected != found else { return }
      differences.append("\(name) is \(found) instead of \(expected)")
    }
    if writesSeen {
      if let last = StreamID(found.lastGeneratedID), last < expected.lastGeneratedID {
        compare("last generated id", expected.lastGeneratedID, last)
      }
      return differences
    }
    compare("length", expected.length, UInt64(clamping: found.length))
    compare("first id", expected.firstID?.description, found.firstID)
    compare("last id", expected.lastID?.description, found.lastID)
    compare("last generated id", expected.lastGeneratedID.description, found.lastGeneratedID)
    compare("max deleted id", expected.maxDeletedID?.description, found.maxDeletedID)
    compare("entries added", expected.entriesAdded, found.entriesAdded.map(UInt64.init(clamping:)))
    compare("number of groups", expected.groups.count, found.groups.count)
    var groups: [[UInt8]: StreamState.Group] = [:]
    for group in found.groups { groups[group.name] = group }
    for group in expected.groups {
      let name = "group \(printable(group.name))"
      guard let there = groups[group.name] else {
        differences.append("\(name) is missing")
        continue
      }
      compare(
        "\(name): last delivered id", group.lastDeliveredID.description, there.lastDeliveredID)
      compare(
        "\(name): entries read", group.entriesRead, there.entriesRead.map(UInt64.init(clamping:)))
      compare("\(name): pending", group.pending, UInt64(clamping: there.pending))
      compare("\(name): number of consumers", group.consumers.count, there.consumers.count)
      var consumers: [[UInt8]: UInt64] = [:]
      for consumer in there.consumers {
        consumers[consumer.name] = UInt64(clamping: consumer.pending)
      }
      for consumer in group.consumers {
        compare(
          "\(name): pending of consumer \(printable(consumer.name))", consumer.pending,
          consumers[consumer.name] ?? 0)
      }
    }
    return differences
  }
}

/// Bytes as a person may read them: other than printable ASCII is escaped, and what is long is cut.
func printable(_ bytes: [UInt8]) -> String {
  let shown = bytes.prefix(128).map { byte in
    (0x20..<0x7f).contains(byte) && byte != UInt8(ascii: "\\")
      ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
  }.joined()
  return "\"\(shown)\"" + (bytes.count > 128 ? "…" : "")
}
