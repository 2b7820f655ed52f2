import ArchiveStore
import Operations
import RDBFormat

/// What `create` tells people.
enum CreateText {
  /// One line about a backup that was made.
  static func line(_ result: CreateBackup.Result) -> String {
    let manifest = result.manifest
    return "\(result.path): \(manifest.content.keys) keys, "
      + "\(manifest.content.streamsTotal) streams, "
      + "\(Figures.bytes(manifest.rdb.bytes)) in \(Figures.bytes(manifest.archive.bytes)), "
      + "\(manifest.verification.level.words)\n"
  }
}
