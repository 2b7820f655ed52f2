import Files
import FoundationEssentials
import Synchronization

/// An archive that is being written and has no name yet that anybody would take for a backup.
///
/// Use: ``write(_:)`` the compressed bytes, ``seal()``, read them back through ``path``, then either
/// ``publish(_:)`` or ``discard()``. Only one task may use it at a time.
public final class PendingArchive: Sendable {
  /// The name that it will have.
  public let name: ArchiveName
  private let directory: ArchiveDirectory
  private let file: OpenFile
  private let unsettledByteCount = Mutex(0)
  /// How many bytes wait to go to the disk together.
  private static let settledByteCount = 8 << 20

  init(name: ArchiveName, in directory: ArchiveDirectory) throws {
    self.name = name
    self.directory = directory
    file = try OpenFile(creating: directory.join(name.archiveFile + ArchiveName.pendingSuffix))
  }

  /// Where the bytes lie now.
  public var path: String { file.path }

  /// Appends to the compressed file. The disk begins with them soon, so that little is left for
  /// ``seal()`` to wait for, and other programs keep their files in memory.
  ///
  /// - Throws: `FileError`; ``discard()`` is still owed.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    try file.write(bytes)
    let isDue = unsettledByteCount.withLock { count in
      count += bytes.count
      guard count >= Self.settledByteCount else { return false }
      count = 0
      return true
    }
    if isDue { file.dropCache() }
  }

  /// Makes the compressed file durable, and lets the next reader have it from the disk.
  public func seal() throws(FileError) {
    try file.sync()
    file.dropCache()
  }

  /// Gives the archive, its digest and its manifest their names, in that order, durably.
  ///
  /// - Returns: The path of the archive.
  /// - Throws: `FileError`; nothing has been published then.
  public func publish(_ manifest: Manifest) throws -> String {
    try write(name.digestFile, name.digestLine(manifest.archive.sha256))
    try write(name.manifestFile, ManifestDocument(manifest).json())
    var published: [String] = []
    do {
      for file in files {
        try FileTree.publish(pending(file), as: directory.join(file))
        published.append(file)
      }
      try FileTree.syncDirectory(directory.path)
    } catch {
      // Half of an archive would be listed for ever; what cannot be removed is adopted by `verify`.
      for file in published.reversed() { try FileTree.remove(directory.join(file)) }
      throw error
    }
    return directory.join(name.archiveFile)
  }

  /// Removes every trace of it.
  public func discard() throws(FileError) {
    for file in files { try FileTree.remove(pending(file)) }
  }

  private var files: [String] { [name.archiveFile, name.digestFile, name.manifestFile] }

  private func pending(_ file: String) -> String {
    directory.join(file + ArchiveName.pendingSuffix)
  }

  private func write(_ name: String, _ bytes: [UInt8]) throws {
    let file = try OpenFile(creating: pending(name))
    try file.write(bytes)
    try file.sync()
  }
}
