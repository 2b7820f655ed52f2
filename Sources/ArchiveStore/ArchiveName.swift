import FoundationEssentials

/// The name that the three files of an archive share: `redis-dump-20261123T020000Z`, or the same with
/// `-2`, `-3`, … for further archives of that second.
///
/// Names sort by time: an archive is less than every later one.
public struct ArchiveName: Sendable, Hashable, Comparable, CustomStringConvertible {
  /// The second at which the backup was asked for.
  public let date: Date
  /// 1 for the first archive of its second, 2 for the next.
  public let ordinal: Int

  static let prefix = "redis-dump-"
  static let archiveSuffix = ".rdb.gz"
  static let digestSuffix = ".rdb.gz.sha256"
  static let manifestSuffix = ".json"
  /// What a file is called as long as it is not published.
  static let pendingSuffix = ".part"

  /// Creates the name for a second and a place among the archives of that second.
  public init(date: Date, ordinal: Int = 1) {
    self.date = Date(timeIntervalSince1970: date.timeIntervalSince1970.rounded(.down))
    self.ordinal = ordinal
  }

  /// Reads a name, without the ending of a file; nil when it is not one that ``description`` gives.
  public init?(_ text: some StringProtocol) {
    guard text.hasPrefix(Self.prefix) else { return nil }
    let parts = text.dropFirst(Self.prefix.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count <= 2, let stamp = parts.first, let date = Self.date(of: stamp) else {
      return nil
    }
    let ordinal = parts.count == 2 ? Int(parts[1]) : 1
    guard let ordinal, ordinal >= 1, ordinal < 1_000_000 else { return nil }
    self.init(date: date, ordinal: ordinal)
    guard description == String(text) else { return nil }
  }

  /// The name of the file with the compressed dump.
  public var archiveFile: String { description + Self.archiveSuffix }
  /// The name of the file that `sha256sum -c` reads.
  public var digestFile: String { description + Self.digestSuffix }
  /// The name of the file with the manifest.
  public var manifestFile: String { description + Self.manifestSuffix }

  /// What stands in the digest file.
  func digestLine(_ sha256: String) -> [UInt8] { Array("\(sha256)  \(archiveFile)\n".utf8) }

  /// The name as text.
  public var description: String {
    let stamp = date.formatted(Self.format)
    return Self.prefix + stamp + (ordinal == 1 ? "" : "-\(ordinal)")
  }

  /// Earlier seconds first, then lower ordinals.
  public static func < (left: ArchiveName, right: ArchiveName) -> Bool {
    (left.date, left.ordinal) < (right.date, right.ordinal)
  }

  // 20261123T020000Z
  private static let format = Date.ISO8601FormatStyle(
    dateSeparator: .omitted, dateTimeSeparator: .standard, timeSeparator: .omitted)

  private static func date(of stamp: some StringProtocol) -> Date? {
    guard stamp.utf8.count == 16 else { return nil }
    return try? format.parse(String(stamp))
  }
}
