import ArchiveStore
import Operations
import RDBFormat

/// What `create` tells people.
enum CreateText {
  /// One line about a backup that was made.
  static func line(_ result: CreateBackup.Result) -> String {
    let manifest = result.manifest
    return "\(result.path): \(Figures.count(manifest.content.keys, "key")), "
      + "\(Figures.count(manifest.content.streamsTotal, "stream")), "
      + "\(Figures.bytes(manifest.rdb.bytes)) in \(Figures.bytes(manifest.archive.bytes)), "
      + "\(manifest.verification.level.words)\n"
  }
}
