import RedisClient
import Targets

// MARK: - Steps that work on the volume alone

extension RestoreRun {
  /// What is swapped: one, or, where it is not known what the next start reads, everything that it may read.
  var swaps: [FileSwap] {
    ([journal.files] + (journal.otherFiles ?? [])).map { files in
      FileSwap(
        files: files, volume: volume, dataDirectory: journal.settings.directory,
        appendFileName: journal.settings.appendFileName, dumpDigest: journal.archive.dumpSHA256,
        dumpByteCount: journal.archive.dumpBytes,
        limits: session.limits, keepsAll: worksByFiles)
    }
  }

  /// Whether the swap was not done: of what a server reads, else of anything, unless a server has read and written
  /// what is swapped already.
  func isPending(_ used: RestoreLayout? = nil) async throws -> Bool {
    let own = swaps.filter { $0.files.layout == used }
    var (pending, done): ([FileSwap], [FileSwap]) = ([], [])
    for swap in own.isEmpty ? swaps : own {
      if try await swap.isPending() { pending.append(swap) } else { done.append(swap) }
    }
    guard !pending.isEmpty else { return false }
    for swap in done where try await !swap.isUntouched() { return false }
    return true
  }

  /// Looks whether a server has worked with the backup before this run: what it was given would be lost on the
  /// way back.
  func lookForWrites() async throws {
    for swap in swaps where try await !swap.isUntouched() { servedOthers = true }
  }

  func stageBackup() async throws {
    guard let candidate else { throw BackupError.internalError("nothing to stage") }
    let first = swaps[0]
    let ownership = try await ownership()
    try await first.makeDirectory(ownership)
    let file = try ArchiveFile(candidate.path, report: report)
    let stall = session.limits.copyStall
    let (volume, workers, target) = (volume, workers, first.files.stagedDump)
    try await pipe { send in
      _ = try await file.unpack(on: workers, to: send)
    } to: { next in
      try await volume.write(target, ownership: ownership, stallTimeout: stall, from: next)
    }
    try await first.stageTexts(ownership)
    for other in swaps.dropFirst() { try await other.stage(from: first, ownership) }
  }

  /// What all that is staged shall belong to. Where it is not known which file the server reads, one that
  /// root has left there must not decide.
  private func ownership() async throws -> FileOwnership? {
    var found: [FileOwnership] = []
    for swap in swaps { if let one = try await swap.ownership() { found.append(one) } }
    return found.first { $0.userID != 0 } ?? found.first
  }

  func compareDigest() async throws {
    for swap in swaps { try await swap.compareDigest() }
  }

  func keepOldFiles() async throws {
    for swap in swaps { try await swap.keepOldFiles() }
  }

  func confirmSwap() async throws {
    for swap in swaps { try await swap.confirmSwap() }
  }

  func putOldFilesBack() async throws {
    for swap in swaps { try await swap.putOldFilesBack(forces: forces) }
    journal.returnedRunID = presentRunID ?? ""
    try await turn(.back, at: journal.phase)
  }

  /// Looks after the restart that the old files were what it found: a save or a rewrite by somebody else
  /// just before writes the backup's data over them, and the number of keys need not tell.
  func confirmOldFiles() async throws {
    for swap in swaps { try await swap.confirmOldFiles() }
  }

  /// Takes the backup away again where this server does not read it.
  func dropUnusedFiles(_ connection: ServerConnection) async throws {
    let used = try await usedFiles(connection)
    let unused = swaps.filter { $0.files != used }
    for swap in unused { try await swap.putOldFilesBack(forces: true) }
    for swap in unused {
      try await swap.removeStagedFiles()
      try await swap.removeKeptNames()
    }
    (journal.files, journal.otherFiles) = (used, nil)
    try await journal.write(to: volume)
  }

  /// Throws where the server reads something else than the backup: where the swap was interrupted before its file,
  /// too.
  func requireBackupIsRead(_ connection: ServerConnection) async throws {
    let used = try await usedFiles(connection)
    for swap in swaps where swap.files == used {
      guard try await !swap.isPending() else {
        throw DataDiffers(
          differences: ["the server reads \(used.live), which is not the backup's"])
      }
    }
  }

  /// What the server reads of that which was put in place.
  ///
  /// - Throws: ``BackupError`` where it reads something else, or will at its next start.
  private func usedFiles(_ connection: ServerConnection) async throws -> RestoreFiles {
    let settings = try await ServerSettings.read(from: connection)
    let directory = journal.settings.directory
    guard try await volume.isOneDirectory(settings.directory, directory) else {
      throw BackupError.readsOtherFiles(settings.directory, insteadOf: directory)
    }
    let layout = RestoreLayout(settings)
    let live = RestoreFiles(
      settings: settings.in(directory), layout: layout, manifest: nil, stamp: ""
    ).live
    guard let used = swaps.map(\.files).first(where: { $0.layout == layout && $0.live == live })
    else {
      throw BackupError.readsOtherFiles(
        live, insteadOf: swaps.map(\.files.live).joined(separator: ", "))
    }
    let status = try await connection.status()
    let next = try await NextStart.read(
      of: status, settings, startedWith: session.target.control.startArguments, from: volume)
    do {
      try RestoreMachine.refuse(next, settings, port: status.tcpPort)
    } catch {
      throw BackupError(refusing: error, session: session)
    }
    return used
  }

  func removeOldFiles() async throws {
    try await removeOldNames()
    try await removeKeptNames()
  }

  func removeOldNames() async throws {
    for swap in swaps { try await swap.removeOldNames() }
  }

  func removeKeptNames() async throws {
    for swap in swaps { try await swap.removeKeptNames() }
  }

  func removeStagedFiles() async throws {
    for swap in swaps { try await swap.removeStagedFiles() }
  }
}
