import Files
import FoundationEssentials

/// The right to write to an archive directory; it ends with its last reference or with the process.
public final class DirectoryLock: Sendable {
  /// The directory that is locked.
  public let directory: ArchiveDirectory
  private let file: OpenFile

  init(directory: ArchiveDirectory, file: OpenFile) {
    self.directory = directory
    self.file = file
  }

  /// Removes what an interrupted run left: files of ours that were never published, nothing else.
  func sweep() throws {
    let names = try FileTree.names(in: directory.path)
    try finishRemovals(among: Set(names))
    for name in names where Self.isPending(name) {
      try FileTree.remove(directory.join(name))
    }
  }

  private static func isPending(_ name: String) -> Bool {
    guard name.hasSuffix(ArchiveName.pendingSuffix) else { return false }
    let published = name.dropLast(ArchiveName.pendingSuffix.count)
    return [ArchiveName.digestSuffix, ArchiveName.archiveSuffix, ArchiveName.manifestSuffix]
      .contains { published.hasSuffix($0) && ArchiveName(published.dropLast($0.count)) != nil }
  }

  /// Begins a new archive of a second, under the first name that nothing has.
  ///
  /// - Throws: `FileError`.
  public func begin(at date: Date) throws -> PendingArchive {
    var name = ArchiveName(date: date)
    while try isTaken(name) {
      name = ArchiveName(date: date, ordinal: name.ordinal + 1)
    }
    return try PendingArchive(name: name, in: directory)
  }

  /// Records a verdict in an archive's manifest; an archive that has none gets one. A whole one gets a digest file where
  /// none can be read.
  ///
  /// A manifest of a newer version stays as it is.
  /// - Parameters:
  ///   - verification: The verdict.
  ///   - entry: An archive of this directory; a foreign file is left alone.
  ///   - adopting: The manifest for an archive that has none; nil leaves it without.
  /// - Throws: `FileError` when writing failed; what was there is there still.
  public func record(
    _ verification: Manifest.Verification, of entry: ArchiveEntry, adopting: Manifest?
  ) throws {
    guard let name = entry.name else { return }
    var document = entry.document
    if document == nil { document = adopting.map(ManifestDocument.init) }
    guard var document, !document.isNewer else { return }
    if verification.level.isWhole, entry.document == nil || entry.recordedDigest == nil {
      try replace(name.digestFile, with: name.digestLine(document.manifest.archive.sha256))
    }
    document.record(verification)
    try replace(name.manifestFile, with: document.json())
  }

  /// Puts a small file in the place of another, in one step.
  func replace(_ name: String, with bytes: [UInt8]) throws {
    let pending = directory.join(name + ArchiveName.pendingSuffix)
    let file = try OpenFile(creating: pending)
    try file.write(bytes)
    try file.sync()
    try FileTree.rename(pending, replacing: directory.join(name))
    try FileTree.syncDirectory(directory.path)
  }

  private func isTaken(_ name: ArchiveName) throws -> Bool {
    for file in [name.archiveFile, name.digestFile, name.manifestFile] {
      if try FileTree.status(of: directory.join(file)) != nil { return true }
    }
    return false
  }
}
