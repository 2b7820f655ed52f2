import Files

extension DirectoryLock {
  /// Removes archives with the files beside them.
  ///
  /// The compressed file loses its name first, durably: from then on there is nothing that looks like an
  /// archive. What a kill leaves behind is removed by the next run that locks the directory.
  /// - Throws: `FileError`.
  public func remove(_ names: [ArchiveName]) throws {
    guard !names.isEmpty else { return }
    for name in names { try unname(name.archiveFile) }
    // Without this a power cut could bring back an archive whose manifest is gone.
    try FileTree.syncDirectory(directory.path)
    for name in names { try removeRest(of: name) }
    try FileTree.syncDirectory(directory.path)
  }

  /// Ends removals that were cut off: the compressed file has lost its name, those beside it have not.
  ///
  /// Publishing cannot leave that: it names the compressed file first.
  /// - Parameter files: The names in the directory.
  func finishRemovals(among files: Set<String>) throws {
    for file in files where file.hasSuffix(Self.removedSuffix) {
      guard let name = ArchiveName(file.dropLast(Self.removedSuffix.count)),
        !files.contains(name.archiveFile),
        files.contains(name.manifestFile) || files.contains(name.digestFile)
      else { continue }
      try removeRest(of: name)
    }
  }

  private static let removedSuffix = ArchiveName.archiveSuffix + ArchiveName.pendingSuffix

  /// The compressed file goes last: as long as it is there the removal is known to be unfinished.
  private func removeRest(of name: ArchiveName) throws {
    try FileTree.remove(directory.join(name.manifestFile))
    try FileTree.remove(directory.join(name.digestFile))
    try FileTree.remove(directory.join(name.archiveFile + ArchiveName.pendingSuffix))
  }

  private func unname(_ file: String) throws {
    do {
      try FileTree.rename(
        directory.join(file), replacing: directory.join(file + ArchiveName.pendingSuffix))
    } catch {
      // Somebody may have removed it by hand.
      guard error.isMissing else { throw error }
    }
  }

  /// Pins an archive, or takes its pin away; a manifest that says so already stays as it is.
  ///
  /// - Returns: False when there is no manifest that this version may write.
  /// - Throws: `FileError`.
  public func pin(_ entry: ArchiveEntry, _ pinned: Bool) throws -> Bool {
    // Read again: another run may have written a verdict since.
    guard let name = entry.name,
      var document = try ArchiveEntry(reading: name, in: directory).document, !document.isNewer
    else { return false }
    guard document.manifest.pinned != pinned else { return true }
    document.pin(pinned)
    try replace(name.manifestFile, with: document.json())
    return true
  }
}
