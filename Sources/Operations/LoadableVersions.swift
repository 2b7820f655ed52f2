import RDBFormat
import RedisClient

/// Which dumps a server can load; one that is too new makes it exit at its start.
///
/// Source: tried on the servers themselves; the table is in `docs/design.md`.
struct LoadableVersions: Sendable, Equatable {
  private let product: ServerStatus.Product?
  private let server: [Int]

  init(of status: ServerStatus) {
    product = status.product
    server = Self.numbers(status.version ?? "")
  }

  /// Whether the server can load a dump.
  func include(_ summary: RDBSummary) -> Bool {
    if summary.format == .valkey {
      return product == .valkey
        && (isAtLeast(9, 0) && summary.version <= 80 || isWriter(of: summary))
    }
    return summary.version <= highestRedisVersion || isWriter(of: summary)
  }

  private var highestRedisVersion: Int {
    if product == .valkey { return 11 }
    if isAtLeast(8, 8) { return 14 }
    if isAtLeast(8, 6) { return 13 }
    if isAtLeast(7, 4) { return 12 }
    if isAtLeast(7, 2) { return 11 }
    return isAtLeast(7, 0) ? 10 : 9
  }

  /// A server reads what the same or an earlier version of it wrote, known to this table or not.
  private func isWriter(of summary: RDBSummary) -> Bool {
    let name = product == .valkey ? "valkey-ver" : "redis-ver"
    guard let writer = summary.aux[name] else { return false }
    return !server.lexicographicallyPrecedes(Self.numbers(writer))
  }

  private func isAtLeast(_ major: Int, _ minor: Int) -> Bool {
    !server.lexicographicallyPrecedes([major, minor])
  }

  private static func numbers(_ version: String) -> [Int] {
    version.split(separator: ".").map { part in Int(part.prefix(while: \.isNumber)) ?? 0 }
  }
}

/// Which module brings which type of value.
enum ModuleTypes {
  private static let moduleOfType = [
    "ReJSON-RL": "rejson", "MBbloom--": "bf", "MBbloomCF": "bf", "CMSk-TYPE": "bf",
    "TopK-TYPE": "bf", "TDIS-TYPE": "bf", "TSDB-TYPE": "timeseries", "ft_index0": "search",
    "graphdata": "graph", "vectorset": "vectorset",
  ]

  /// Whether a server can load values of a module type.
  static func isLoadable(_ type: String, by status: ServerStatus, modules: [String]) -> Bool {
    if type == "vectorset", status.product == .redis,
      let major = status.version?.split(separator: ".").first.flatMap({ Int($0) }), major >= 8
    {
      return true
    }
    guard let module = moduleOfType[type] else { return false }
    return modules.contains { $0.lowercased() == module }
  }
}
