import Files
import FoundationEssentials
import RDBFormat

@testable import ArchiveStore

enum Sample {
  static let second = Date(timeIntervalSince1970: 1_795_399_200)

  static func manifest(
    of name: ArchiveName, bytes: Int, level: Verdict = .valid, namespace: String = "raibid-redis",
    tags: [String: String] = [:]
  ) -> Manifest {
    var source = Source(
      target: "kubernetes", server: "redis", serverVersion: "7.0.15", runID: "r", role: "master",
      appendonly: true)
    source.namespace = namespace
    source.pod = "raibid-redis-master-0"
    let summary = RDBSummary(
      format: .redis, version: 10, byteCount: 175, crc64: 0xab, checksum: .valid, aux: [:],
      verdict: .valid,
      content: RDBContent(
        keys: 0, expires: 0, databases: [], types: TypeCounts(), functions: 0, streamsTotal: 0,
        streams: []), moduleNames: [], largestKeys: [], findings: [])
    return Manifest(
      name: name, tool: Manifest.Tool(name: "raibid-backup", version: "1"), tags: tags,
      source: source,
      save: Manifest.Save(
        method: "bgsave", via: "cp", requestedAt: second, finishedAt: second, seconds: 0.25,
        changesSinceLastSave: nil),
      rdb: Manifest.RDB(summary, sha256: String(repeating: "b", count: 64)),
      archive: Manifest.Archive(
        file: name.archiveFile, bytes: UInt64(bytes), sha256: String(repeating: "a", count: 64),
        level: 6, members: 1),
      content: summary.content,
      verification: Manifest.Verification(level: level, verifiedAt: second))
  }

  /// Publishes an archive of five bytes.
  @discardableResult
  static func publish(
    in lock: DirectoryLock, at date: Date = second, level: Verdict = .valid,
    namespace: String = "raibid-redis", tags: [String: String] = [:]
  ) throws -> String {
    let pending = try lock.begin(at: date)
    try pending.write([1, 2, 3, 4, 5])
    try pending.seal()
    return try pending.publish(
      manifest(of: pending.name, bytes: 5, level: level, namespace: namespace, tags: tags))
  }
}
