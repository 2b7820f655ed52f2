/// How the newest archives of one Redis compare in size with those before them.
///
/// A queue that was emptied by accident gives small archives, and nobody wants the large ones gone then.
public struct SizeHistory: Sendable, Equatable {
  /// How many archives a median is taken of.
  public static let depth = 10

  /// The median of the keys of the archives before the newest; nil when there is none.
  public let usualKeyCount: UInt64?
  /// The median of their dumps' sizes.
  public let usualByteCount: UInt64?
  /// Those of the last ten that are much smaller than usual, newest first.
  public let shrunk: [ArchiveName]

  /// Compares archives.
  ///
  /// One is much smaller when it has less than the limit of the keys or bytes that ten before it had, or as many
  /// as there are, and still of what the last ten have, once there are ten: a queue that stays small is the usual
  /// one after six nights or more.
  /// - Parameters:
  ///   - archives: All archives of one Redis that count, newest first.
  ///   - shrinkLimitPercent: The share of the median that is still no cause for alarm.
  public init(_ archives: [RetentionCandidate], shrinkLimitPercent: Int) {
    let before = archives.dropFirst().prefix(Self.depth)
    usualKeyCount = Self.median(before.map(\.keyCount))
    usualByteCount = Self.median(before.map(\.dumpByteCount))
    let recent = archives.prefix(Self.depth)
    func isShrunk(_ value: (RetentionCandidate) -> UInt64, _ index: Int) -> Bool {
      let size = Double(value(archives[index]))
      let older = archives[(index + 1)...].prefix(Self.depth)
      let compared = recent.count < Self.depth ? [older] : [older, recent]
      return compared.allSatisfy { archives in
        guard let median = Self.median(archives.map(value)) else { return false }
        return size * 100 < Double(median) * Double(shrinkLimitPercent)
      }
    }
    shrunk = recent.indices.filter {
      isShrunk(\.keyCount, $0) || isShrunk(\.dumpByteCount, $0)
    }.map { archives[$0].name }
  }

  private static func median(_ values: [UInt64]) -> UInt64? {
    values.isEmpty ? nil : values.sorted()[values.count / 2]
  }
}
