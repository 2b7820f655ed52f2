import Crypto
import RedisClient
import Synchronization
import Targets

/// Puts one file, or one append-only file in parts, in the place of the old one, and back.
///
/// Every function may be called again after it was interrupted.
struct FileSwap: Sendable {
  let files: RestoreFiles
  let volume: any DataVolume
  /// The server's data directory.
  let dataDirectory: String
  /// What the names of parts begin with.
  let appendFileName: String
  /// The SHA-256 of the dump that is put in place.
  let dumpDigest: String
  /// Its size.
  let dumpByteCount: UInt64
  let limits: TimeLimits
  /// Whether the old files may be broken, so that all there is of them is kept, whatever their manifest says.
  let keepsAll: Bool

  /// Whether the backup has not been put in its place.
  func isPending() async throws -> Bool {
    try await volume.status(of: files.replacement) != nil
  }

  /// What the new file shall belong to: whom the old one belongs to, or its directory.
  func ownership() async throws -> FileOwnership? {
    if let status = try await volume.status(of: files.live) { return status.ownership }
    // Of a link not its own owner counts.
    return try await volume.status(of: join(dataDirectory, ".")).map {
      FileOwnership(userID: $0.userID, groupID: $0.groupID, mode: 0o600)
    }
  }

  /// Makes the directory of the parts where there is none.
  func makeDirectory(_ ownership: FileOwnership?) async throws {
    guard files.makesDirectory == true, try await volume.status(of: files.directory) == nil else {
      return
    }
    let ownership = ownership.map {
      FileOwnership(userID: $0.userID, groupID: $0.groupID, mode: 0o755)
    }
    try await volume.makeDirectory(files.directory, ownership: ownership)
  }

  /// Writes what lies beside the dump.
  func stageTexts(_ ownership: FileOwnership?) async throws {
    for text in files.stagedTexts {
      try await volume.write(text.path, ownership: ownership, contents: Array(text.text.utf8))
    }
  }

  /// Stages the dump that another file of this restore consists of.
  func stage(from other: FileSwap, _ ownership: FileOwnership?) async throws {
    try await makeDirectory(ownership)
    if files.layout == .singleFileAOF {
      // A server writes on at the end of it.
      try await copy(other.files.stagedDump, to: files.stagedDump)
    } else {
      try await secondName(of: other.files.stagedDump, as: files.stagedDump)
    }
    try await stageTexts(ownership)
  }

  func compareDigest() async throws {
    let digest = try await volume.sha256(of: files.stagedDump, stallTimeout: limits.stall)
    guard digest == dumpDigest else { throw BackupError.stagedBackupDiffers(files.stagedDump) }
  }

  func keepOldFiles() async throws {
    guard files.layout == .multiPartAOF else {
      do {
        try await secondName(of: files.live, as: files.kept)
      } catch TargetError.fileNotFound {
        // The server has saved nothing so far.
      }
      return
    }
    guard let status = try await volume.status(of: files.directory), files.makesDirectory != true
    else { return }
    try await volume.makeDirectory(files.kept, ownership: status.ownership)
    for file in try await oldParts() {
      do {
        try await secondName(of: join(files.directory, file.name), as: join(files.kept, file.name))
      } catch TargetError.fileNotFound where file.type == "h" {
        // History that the server has deleted meanwhile.
      }
    }
    if try await volume.status(of: files.live) != nil {
      try await secondName(of: files.live, as: join(files.kept, files.liveName))
    }
  }

  /// The parts that are there besides those of this restore.
  private func oldParts() async throws -> [AOFManifest.File] {
    guard keepsAll else { return try await manifest(at: files.live).files }
    let own = Set(files.made.map(RestoreFiles.name(of:)) + [files.liveName])
    var parts: [AOFManifest.File] = []
    for name in try await volume.list(files.directory) ?? [] where !own.contains(name) {
      let status = try await volume.status(of: join(files.directory, name))
      guard status?.kind == .file else { continue }
      parts.append(AOFManifest.File(name: name, sequence: 0, type: "i"))
    }
    return parts
  }

  /// Renames the backup into its place, unless it is there.
  func swap() async throws {
    if try await isPending() { try await volume.rename(files.replacement, to: files.live) }
  }

  func confirmSwap() async throws {
    guard try await isInPlace() else { throw BackupError.swapUndoneByOthers(files.live) }
  }

  private func isInPlace() async throws -> Bool {
    guard files.layout == .multiPartAOF else {
      return try await volume.sha256(of: files.live, stallTimeout: limits.stall) == dumpDigest
    }
    let text = files.stagedTexts.first { $0.path == files.replacement }?.text ?? ""
    let limit = RestoreJournal.maximumByteCount
    return try await volume.contents(of: files.live, limit: limit) == Array(text.utf8)
  }

  /// Looks after the restart that the backup was what the server found: a save or a rewrite by somebody else just
  /// before brings the old data back, and the number of keys need not tell.
  ///
  /// - Parameter status: Asks the server, which nobody could write to so far.
  func confirmLoaded(by status: () async throws -> ServerStatus) async throws {
    guard try await isLoaded(by: status) else { throw BackupError.swapUndoneByOthers(files.live) }
  }

  private func isLoaded(by status: () async throws -> ServerStatus) async throws -> Bool {
    if let sequence = files.sequence {
      // What the server made of it since has a higher number, what is of the old one a lower.
      return try await basesInManifest(at: files.live).compactMap { PartName($0)?.sequence }
        .contains { $0 >= sequence }
    }
    if try await isInPlace() { return true }
    guard files.layout == .snapshot else { return try await beginsWithBackup() }
    // Since its start the server may have saved by itself: then nothing tells what it has loaded.
    let status = try await status()
    return (status.rdbSaves ?? 0) > 0 || (status.lastBackgroundSaveSeconds ?? -1) >= 0
  }

  /// Whether an append-only file of one piece begins with the backup, and has grown since.
  private func beginsWithBackup() async throws -> Bool {
    let start = Mutex((digest: SHA256(), rest: Int(clamping: dumpByteCount)))
    do {
      try await volume.read(files.live, stallTimeout: limits.copyStall) { bytes in
        start.withLock { start in
          let part = bytes.prefix(start.rest)
          start.digest.update(data: part)
          start.rest -= part.count
        }
      }
    } catch TargetError.changedWhileReading where start.withLock({ $0.rest == 0 }) {
      // It may grow on: only its beginning counts.
    }
    return start.withLock { $0.rest == 0 && $0.digest.finalize().hexadecimal == dumpDigest }
  }

  /// Whether no server has written to what was put in place.
  func isUntouched() async throws -> Bool {
    guard try await volume.status(of: files.live) != nil, try await isInPlace() else {
      return false
    }
    for text in files.stagedTexts where text.path != files.replacement {
      let byteCount = try await volume.status(of: text.path)?.byteCount
      guard byteCount == UInt64(text.text.utf8.count) else { return false }
    }
    return true
  }

  /// Puts the old file back, unless the backup was never put in its place.
  ///
  /// - Parameter forces: Whether that is so, whatever was written there since.
  /// - Throws: ``BackupError`` where a server has written there since, and this is not forced.
  func putOldFilesBack(forces: Bool) async throws {
    if try await isPending() { return }
    let kept = files.layout == .multiPartAOF ? join(files.kept, files.liveName) : files.kept
    let old = try await volume.status(of: kept)
    // The same file under two names cannot be renamed to the other.
    if let old, try await volume.status(of: files.live)?.inode == old.inode { return }
    if !forces, try await !isUntouched() { throw BackupError.writtenSinceSwap(files.live) }
    if files.layout == .multiPartAOF {
      for name in try await volume.list(files.kept) ?? [] where name != files.liveName {
        let (kept, path) = (join(files.kept, name), join(files.directory, name))
        // A rewrite by somebody else gives old names to new files.
        if try await !isSame(kept, path) { try await putBack(kept, to: path) }
      }
    }
    guard old != nil else {
      // There was nothing before: then nothing is what the old data was. Else it is back already.
      if files.wasThere != true { try await volume.remove(files.live) }
      return
    }
    try await putBack(kept, to: files.live)
  }

  private func putBack(_ kept: String, to path: String) async throws {
    try await volume.remove(files.returning)
    try await secondName(of: kept, as: files.returning)
    try await volume.rename(files.returning, to: path)
  }

  /// Whether both names are of one file, or, where the volume has no links, of its copies.
  private func isSame(_ path: String, _ otherPath: String) async throws -> Bool {
    guard let status = try await volume.status(of: path),
      let other = try await volume.status(of: otherPath)
    else { return false }
    if status.inode == other.inode { return true }
    guard status.byteCount == other.byteCount else { return false }
    return try await volume.sha256(of: path, stallTimeout: limits.stall)
      == volume.sha256(of: otherPath, stallTimeout: limits.stall)
  }

  /// Looks after the restart that the old files were what it found: a save or a rewrite by somebody else
  /// just before writes the backup's data over them, and the number of keys need not tell.
  func confirmOldFiles() async throws {
    if files.layout == .multiPartAOF {
      let kept = try await basesInManifest(at: join(files.kept, files.liveName))
      let live = try await basesInManifest(at: files.live)
      guard kept.isEmpty || kept == live else { throw BackupError.swapUndoneByOthers(files.live) }
      return
    }
    guard try await volume.status(of: files.kept) != nil else { return }
    guard try await isSame(files.kept, files.live) else {
      throw BackupError.swapUndoneByOthers(files.live)
    }
  }

  private func basesInManifest(at path: String) async throws -> [String] {
    guard let bytes = try await volume.contents(of: path, limit: RestoreJournal.maximumByteCount),
      let manifest = AOFManifest(String(decoding: bytes, as: UTF8.self))
    else { return [] }
    return manifest.files.filter { $0.type == "b" }.map(\.name)
  }

  /// The old parts lie among the new ones; a file of one piece has lost its name to the new one.
  func removeOldNames() async throws {
    guard files.layout == .multiPartAOF else { return }
    let current = try await manifest(at: files.live).files.map(\.name)
    for name in try await volume.list(files.kept) ?? []
    where name != files.liveName && !current.contains(name) {
      try await volume.remove(join(files.directory, name))
    }
  }

  func removeKeptNames() async throws {
    guard files.layout == .multiPartAOF else { return try await volume.remove(files.kept) }
    for name in try await volume.list(files.kept) ?? [] {
      try await volume.remove(join(files.kept, name))
    }
    try await volume.removeDirectory(files.kept)
  }

  func removeStagedFiles() async throws {
    let current = files.sequence == nil ? [] : try await manifest(at: files.live).files.map(\.name)
    for path in files.made
    where path != files.kept && !current.contains(RestoreFiles.name(of: path)) {
      try await volume.remove(path)
    }
    guard let sequence = files.sequence else { return }
    // What a server made of the backup before it was found wanting.
    for name in try await volume.list(files.directory) ?? [] where !current.contains(name) {
      if let part = PartName(name), part.file == appendFileName, part.sequence >= sequence {
        try await volume.remove(join(files.directory, name))
      }
    }
    if files.makesDirectory == true, current.isEmpty, try await volume.list(files.directory) == [] {
      try await volume.removeDirectory(files.directory)
    }
  }

  private func manifest(at path: String) async throws -> AOFManifest {
    guard let bytes = try await volume.contents(of: path, limit: RestoreJournal.maximumByteCount)
    else { return AOFManifest(files: []) }
    if let manifest = AOFManifest(String(decoding: bytes, as: UTF8.self)) { return manifest }
    // That may be why the server does not run.
    guard keepsAll else { throw BackupError.appendManifestUnreadable(path) }
    return AOFManifest(files: [])
  }

  /// A hard link costs no space and cannot be half done; a copy is for volumes that have none.
  private func secondName(of path: String, as newPath: String) async throws {
    do {
      try await volume.link(path, to: newPath)
    } catch TargetError.linksNotSupported {
      try await copy(path, to: newPath)
    }
  }

  private func copy(_ path: String, to newPath: String) async throws {
    let ownership = try await volume.status(of: path).map(\.ownership)
    let (volume, stall, copying) = (volume, limits.copyStall, files.copying)
    // A run that is killed here must not leave half a file under a name that a later run trusts.
    try await volume.remove(copying)
    try await pipe { send in
      try await volume.read(path, stallTimeout: stall, deliver: send)
    } to: { next in
      try await volume.write(copying, ownership: ownership, stallTimeout: stall, from: next)
    }
    try await volume.rename(copying, to: newPath)
  }
}
