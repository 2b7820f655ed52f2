import RedisClient
import Targets

// MARK: - Steps that work on the volume alone

extension RestoreRun {
  func stageBackup() async throws {
    guard let candidate else { throw BackupError.internalError("nothing to stage") }
    let ownership = try await ownershipOfLiveFile()
    let file = try ArchiveFile(candidate.path, report: report)
    let stall = session.limits.copyStall
    let (volume, workers, target) = (volume, workers, files.stagedDump)
    try await pipe { send in
      _ = try await file.unpack(on: workers, to: send)
    } to: { next in
      try await volume.write(target, ownership: ownership, stallTimeout: stall, from: next)
    }
    for text in files.stagedTexts {
      try await volume.write(text.path, ownership: ownership, contents: Array(text.text.utf8))
    }
  }

  func compareDigest() async throws {
    let digest = try await volume.sha256(of: files.stagedDump, stallTimeout: session.limits.stall)
    guard digest == journal.archive.dumpSHA256 else {
      throw BackupError.stagedBackupDiffers(files.stagedDump)
    }
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
    let ownership = try await volume.status(of: files.directory).map(\.ownership)
    try await volume.makeDirectory(files.kept, ownership: ownership)
    for file in try await manifest(at: files.live).files {
      do {
        try await secondName(of: join(files.directory, file.name), as: join(files.kept, file.name))
      } catch TargetError.fileNotFound where file.type == "h" {
        // History that the server has deleted meanwhile.
      }
    }
    try await secondName(of: files.live, as: join(files.kept, files.liveName))
  }

  func confirmSwap() async throws {
    let inPlace: Bool
    if files.layout == .multiPartAOF {
      let text = files.stagedTexts.first { $0.path == files.replacement }?.text ?? ""
      let limit = RestoreJournal.maximumByteCount
      inPlace = try await volume.contents(of: files.live, limit: limit) == Array(text.utf8)
    } else {
      let digest = try await volume.sha256(of: files.live, stallTimeout: session.limits.stall)
      inPlace = digest == journal.archive.dumpSHA256
    }
    guard inPlace else { throw BackupError.swapUndoneByOthers(files.live) }
  }

  func putOldFilesBack() async throws {
    if files.layout == .multiPartAOF {
      for name in try await volume.list(files.kept) ?? [] where name != files.liveName {
        let path = join(files.directory, name)
        if try await volume.status(of: path) == nil {
          try await secondName(of: join(files.kept, name), as: path)
        }
      }
    }
    let kept = files.layout == .multiPartAOF ? join(files.kept, files.liveName) : files.kept
    guard try await volume.status(of: kept) != nil else {
      // There was nothing before: then nothing is what the old data was.
      try await volume.remove(files.live)
      return
    }
    try await volume.remove(files.returning)
    try await secondName(of: kept, as: files.returning)
    try await volume.rename(files.returning, to: files.live)
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
    guard let kept = try await volume.status(of: files.kept) else { return }
    if try await volume.status(of: files.live)?.inode == kept.inode { return }
    // Where the volume has no links, the old file came back as a copy.
    let stall = session.limits.stall
    guard
      try await volume.status(of: files.live) != nil,
      try await volume.sha256(of: files.live, stallTimeout: stall)
        == volume.sha256(of: files.kept, stallTimeout: stall)
    else { throw BackupError.swapUndoneByOthers(files.live) }
  }

  private func basesInManifest(at path: String) async throws -> [String] {
    guard let bytes = try await volume.contents(of: path, limit: RestoreJournal.maximumByteCount),
      let manifest = AOFManifest(String(decoding: bytes, as: UTF8.self))
    else { return [] }
    return manifest.files.filter { $0.type == "b" }.map(\.name)
  }

  func removeOldFiles() async throws {
    try await removeOldNames()
    try await removeKeptNames()
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
    for path in files.made where path != files.kept && !current.contains(files.name(of: path)) {
      try await volume.remove(path)
    }
    guard let sequence = files.sequence else { return }
    // What a server made of the backup before it was found wanting.
    for name in try await volume.list(files.directory) ?? [] where !current.contains(name) {
      if let number = self.sequence(of: name), number >= sequence {
        try await volume.remove(join(files.directory, name))
      }
    }
  }

  /// The sequence number in the name of a part: `appendonly.aof.1003.base.rdb`.
  private func sequence(of name: String) -> Int64? {
    let prefix = journal.settings.appendFileName + "."
    guard name.hasPrefix(prefix) else { return nil }
    let rest = name.dropFirst(prefix.count).split(separator: ".")
    guard rest.count == 3, ["base", "incr"].contains(rest[1]) else { return nil }
    return Int64(rest[0])
  }

  private func manifest(at path: String) async throws -> AOFManifest {
    guard let bytes = try await volume.contents(of: path, limit: RestoreJournal.maximumByteCount)
    else { return AOFManifest(files: []) }
    guard let manifest = AOFManifest(String(decoding: bytes, as: UTF8.self)) else {
      throw BackupError.appendManifestUnreadable(path)
    }
    return manifest
  }

  private func ownershipOfLiveFile() async throws -> FileOwnership? {
    if let status = try await volume.status(of: files.live) { return status.ownership }
    return try await volume.status(of: journal.settings.directory).map {
      FileOwnership(userID: $0.userID, groupID: $0.groupID, mode: 0o600)
    }
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
    let (volume, stall, copying) = (volume, session.limits.copyStall, files.copying)
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
