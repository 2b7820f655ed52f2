import FoundationEssentials
import RDBFormat

/// What retention needs to know of an archive.
public struct RetentionCandidate: Sendable, Equatable {
  /// Its name, which says when it was made.
  public let name: ArchiveName
  /// The ``Source/identity`` of its Redis; nil where nothing says so.
  public var source: String?
  /// What is known of it.
  public var state = ArchiveEntry.State.verified
  /// Whether a newer version of this tool wrote its manifest.
  public var isNewer = false
  /// Whether the user has pinned it.
  public var isPinned = false
  /// What the user wrote on it.
  public var tags: [String: String] = [:]
  /// The keys in it.
  public var keyCount: UInt64 = 0
  /// The size of its dump.
  public var dumpByteCount: UInt64 = 0
  /// The size of its file.
  public var fileByteCount: UInt64 = 0
  /// When it was made by the clock of the server; nil where it was not made by `create`.
  public var serverDate: Date?

  /// Creates the facts of a verified archive of which nothing else is known.
  public init(name: ArchiveName, source: String?) {
    self.name = name
    self.source = source
  }

  /// The facts of an archive as it lies on the disk; nil for a foreign file.
  public init?(_ entry: ArchiveEntry) {
    guard let name = entry.name else { return nil }
    self.init(name: name, source: entry.source)
    state = entry.state
    fileByteCount = entry.byteCount
    guard let document = entry.document else { return }
    let manifest = document.manifest
    isNewer = document.isNewer
    isPinned = manifest.pinned
    tags = manifest.tags
    keyCount = manifest.content.keys
    dumpByteCount = manifest.rdb.bytes
    if manifest.save != nil, let seconds = manifest.rdb.aux["ctime"].flatMap(Int64.init) {
      serverDate = Date(timeIntervalSince1970: Double(seconds))
    }
  }

  /// Whether a restore took it of the data that it was about to replace.
  public var isSafetyBackup: Bool { tags[Manifest.safetyTag] != nil }

  /// Whether it counts as a backup of its Redis.
  public var counts: Bool { state == .verified && !isNewer && !isSafetyBackup }
}
