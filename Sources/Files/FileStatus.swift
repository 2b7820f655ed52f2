import Glibc

/// What the system knows of a file without reading it.
public struct FileStatus: Sendable, Equatable {
  /// What kind of thing has the name.
  public enum Kind: Sendable, Equatable {
    /// An ordinary file.
    case file
    /// A directory.
    case directory
    /// A symbolic link, a device, a socket or a pipe.
    case other
  }

  /// What kind of thing has the name.
  public let kind: Kind
  /// The size in bytes.
  public let byteCount: UInt64
  /// The permission bits.
  public let mode: UInt32
  /// The number of the user whose it is.
  public let userID: UInt32
  /// The number of its group.
  public let groupID: UInt32
  /// The time of the last change of the contents, in seconds since 1970.
  public let modifiedSeconds: Int64

  init(_ raw: stat) {
    switch raw.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .directory
    default: kind = .other
    }
    byteCount = UInt64(max(raw.st_size, 0))
    mode = raw.st_mode & 0o7777
    userID = raw.st_uid
    groupID = raw.st_gid
    modifiedSeconds = Int64(raw.st_mtim.tv_sec)
  }
}
