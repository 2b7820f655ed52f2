import FoundationEssentials
import TestSupport
import Testing

/// The scenarios in `docs/restore.md` are those of the tests that try them.
///
/// A scenario that does not pass fails its own test, so that all that are tried have passed.
@Suite struct RestoreTableTests {
  /// What `RoundTripTests` and `StoppedRestoreTests` try, on the servers that are here.
  private var local: [String] {
    var rows: [String] = []
    for version in ServerVersion.available where version.name != "redis-system" {
      let product = version.isValkey ? "valkey" : "redis"
      for persistence in Persistence.allCases {
        for way in ["local", "local, by files"] {
          rows.append(
            "| \(product) \(version.major).\(version.minor) | \(persistence.rawValue) | \(way) |")
        }
      }
    }
    return rows
  }

  /// What `KubernetesEndToEndTests`, `KubernetesRestartTests` and `KubernetesStoppedTests` try on a cluster.
  private let cluster =
    ClusterRedis.Image.allCases.map {
      let words = $0.rawValue.split { ":-".contains($0) }
      return "| \(words[0]) \(words[1]) | append-only file and save points | pod"
        + (words.count > 2 ? ", no tar" : "") + " |"
    } + [
      "| redis 7.0 | save points | pod |", "| redis 7.0 | save points | container in place |",
      "| redis 7.0 | append-only file and save points | pod, by files |",
    ]

  private func documented() throws -> [String] {
    let text = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/restore.md"),
      encoding: .utf8)
    return text.split(separator: "\n").drop { $0 != "| server | persistence | way |" }.dropFirst(2)
      .prefix { $0.hasPrefix("|") }.map(String.init)
  }

  @Test func `every scenario that is tried is in the table`() throws {
    let rows = try documented()
    #expect(Set(rows).count == rows.count)
    #expect(Set(local + cluster).subtracting(rows).sorted() == [])
  }

  @Test func `nothing is in the table that no test tries`() throws {
    let versions = Set(local.map { $0.split(separator: "|")[0] })
    let rows = try documented().filter { row in
      // A server that is not here may be tried elsewhere.
      !row.contains("| local") || versions.contains(row.split(separator: "|")[0])
    }
    #expect(Set(rows).subtracting(local + cluster).sorted() == [])
  }
}
