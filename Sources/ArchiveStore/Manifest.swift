import FoundationEssentials
import RDBFormat

/// What is known of an archive, as it stands in the `.json` file beside it.
///
/// The JSON is described in `docs/json.md`. Sizes are in bytes, times are whole seconds in UTC.
public struct Manifest: Codable, Sendable, Equatable {
  /// The newest `schema_version` that this version writes and rewrites.
  public static let newestSchemaVersion = 1

  /// The version of this document's form.
  public var schemaVersion: Int
  /// The archive's name, without the ending of a file.
  public var name: String
  /// When the backup was asked for.
  public var createdAt: Date
  /// What made the archive.
  public var tool: Tool
  /// What the user wrote on it.
  public var tags: [String: String]
  /// Whether retention must leave it alone.
  public var pinned: Bool
  /// The Redis that the dump came from; nil for a file that was copied in by hand.
  @ExplicitNull public var source: Source?
  /// How the server saved; nil for a file that was copied in by hand.
  @ExplicitNull public var save: Save?
  /// The dump inside the archive.
  public var rdb: RDB
  /// The compressed file.
  public var archive: Archive
  /// What the dump holds.
  public var content: RDBContent
  /// The last verdict on it.
  public var verification: Verification

  enum CodingKeys: String, CodingKey {
    case name, tool, tags, pinned, source, save, rdb, archive, content, verification
    case schemaVersion = "schema_version"
    case createdAt = "created_at"
  }

  /// Creates the manifest of a new archive.
  public init(
    name: ArchiveName, tool: Tool, tags: [String: String], source: Source?, save: Save?, rdb: RDB,
    archive: Archive, content: RDBContent, verification: Verification
  ) {
    schemaVersion = Self.newestSchemaVersion
    self.name = name.description
    createdAt = name.date
    self.tool = tool
    self.tags = tags
    pinned = false
    _source = ExplicitNull(wrappedValue: source)
    _save = ExplicitNull(wrappedValue: save)
    self.rdb = rdb
    self.archive = archive
    self.content = content
    self.verification = verification
  }

  /// The tag of archives that a restore took of the data it was about to replace.
  public static let safetyTag = "pre-restore"

  /// Whether a restore took it of the data it was about to replace.
  public var isSafetyBackup: Bool { tags[Self.safetyTag] != nil }
}

extension Manifest {
  /// What made an archive.
  public struct Tool: Codable, Sendable, Equatable {
    /// The program.
    public var name: String
    /// Its version.
    public var version: String

    /// Creates it from both.
    public init(name: String, version: String) {
      self.name = name
      self.version = version
    }
  }

  /// How the server saved the dump.
  public struct Save: Codable, Sendable, Equatable {
    /// "bgsave", "save" or "sync".
    public var method: String
    /// The way of the dump to here: "file", "cp", "exec" or "replication"; nil where it was not recorded.
    @ExplicitNull public var via: String?
    /// When the server was asked.
    public var requestedAt: Date
    /// When the dump was complete.
    public var finishedAt: Date
    /// How long that took, to a millisecond.
    public var seconds: Double
    /// How many changes the data had seen since the last save before this one.
    @ExplicitNull public var changesSinceLastSave: Int64?

    enum CodingKeys: String, CodingKey {
      case method, via, seconds
      case requestedAt = "requested_at"
      case finishedAt = "finished_at"
      case changesSinceLastSave = "changes_since_last_save"
    }

    /// Creates it from all its parts.
    public init(
      method: String, via: String?, requestedAt: Date, finishedAt: Date, seconds: Double,
      changesSinceLastSave: Int64?
    ) {
      self.method = method
      _via = ExplicitNull(wrappedValue: via)
      self.requestedAt = requestedAt
      self.finishedAt = finishedAt
      self.seconds = seconds
      _changesSinceLastSave = ExplicitNull(wrappedValue: changesSinceLastSave)
    }
  }

  /// The dump, as the server wrote it.
  public struct RDB: Codable, Sendable, Equatable {
    /// "redis" or "valkey".
    public var format: RDBFormatName
    /// The RDB version: 11 for `REDIS0011`, 80 for `VALKEY080`.
    public var version: Int
    /// The size of the dump.
    public var bytes: UInt64
    /// The SHA-256 of the dump in hexadecimal.
    public var sha256: String
    /// The CRC-64 of the dump without its last eight bytes, in hexadecimal.
    public var crc64: String
    /// Whether the server had written a checksum.
    public var checksum: RDBChecksum
    /// The auxiliary fields of the dump.
    public var aux: [String: String]

    /// Creates it from what the inspector found and the digest of the same bytes.
    public init(_ summary: RDBSummary, sha256: String) {
      format = summary.format
      version = summary.version
      bytes = summary.byteCount
      self.sha256 = sha256
      let digits = String(summary.crc64, radix: 16)
      crc64 = String(repeating: "0", count: 16 - digits.count) + digits
      checksum = summary.checksum
      aux = summary.aux
    }
  }

  /// The compressed file.
  public struct Archive: Codable, Sendable, Equatable {
    /// Its name.
    public var file: String
    /// Its size.
    public var bytes: UInt64
    /// Its SHA-256 in hexadecimal.
    public var sha256: String
    /// "gzip".
    public var codec: String
    /// The compression level; nil where it is not known.
    @ExplicitNull public var level: Int?
    /// How many gzip members it has.
    public var members: Int

    /// Creates it from all its parts.
    public init(file: String, bytes: UInt64, sha256: String, level: Int?, members: Int) {
      self.file = file
      self.bytes = bytes
      self.sha256 = sha256
      codec = "gzip"
      _level = ExplicitNull(wrappedValue: level)
      self.members = members
    }
  }

  /// The last verdict on an archive.
  public struct Verification: Codable, Sendable, Equatable {
    /// The verdict.
    public var level: Verdict
    /// When it was found.
    public var verifiedAt: Date

    enum CodingKeys: String, CodingKey {
      case level
      case verifiedAt = "verified_at"
    }

    /// Creates it from both.
    public init(level: Verdict, verifiedAt: Date) {
      self.level = level
      self.verifiedAt = verifiedAt
    }
  }
}
