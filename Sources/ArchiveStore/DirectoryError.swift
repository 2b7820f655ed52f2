import Files

/// What can be wrong with an archive directory, as facts.
public enum DirectoryError: Error, Sendable, Equatable {
  /// It does not exist, and neither does the directory that it would be made in.
  case parentMissing(directory: String)
  /// It cannot be made.
  case cannotMake(directory: String, FileError)
  /// Something else has its name.
  case notADirectory(directory: String)
  /// It does not exist.
  case missing(directory: String)
  /// Its file system has no locks.
  case cannotLock(directory: String, FileError)
  /// Another run writes to it; the text is what that run said of itself.
  case locked(directory: String, holder: String)
  /// It is neither a file nor a directory but a device, a socket or a pipe.
  case notAFile(path: String)
  /// Nothing goes by that name.
  case archiveNotFound(reference: String)
  /// It holds no whole archive that is not a safety backup.
  case noWholeArchive(directory: String)
  /// It holds archives of several Redises and nothing says which one is meant.
  case severalSources(directory: String, sources: [String])
}
