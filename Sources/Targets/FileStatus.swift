/// What a file is, as its file system says, at one moment.
public struct FileStatus: Sendable, Equatable {
  /// What kind of thing a path names.
  public enum Kind: Sendable, Equatable {
    case file
    case directory
    case symbolicLink
    case other
  }

  /// The number of the file in its file system: a file that was replaced has another one.
  public var inode: UInt64
  /// The size in bytes.
  public var byteCount: UInt64
  /// The number of the owner.
  public var userID: UInt32
  /// The number of the group.
  public var groupID: UInt32
  /// The permission bits, 0 to 0o7777.
  public var mode: UInt32
  /// When the contents were last changed, in seconds since 1970.
  public var modifiedSeconds: Int64
  /// What kind of thing it is.
  public var kind: Kind

  /// Creates a status from its figures.
  public init(
    inode: UInt64, byteCount: UInt64, userID: UInt32, groupID: UInt32, mode: UInt32,
    modifiedSeconds: Int64, kind: Kind
  ) {
    self.inode = inode
    self.byteCount = byteCount
    self.userID = userID
    self.groupID = groupID
    self.mode = mode
    self.modifiedSeconds = modifiedSeconds
    self.kind = kind
  }

  /// Owner, group and mode, to give a new file the same.
  public var ownership: FileOwnership {
    FileOwnership(userID: userID, groupID: groupID, mode: mode)
  }

  /// Creates a status from `st_mode`, which holds the kind and the permissions together.
  init(
    inode: UInt64, byteCount: UInt64, userID: UInt32, groupID: UInt32, rawMode: UInt32,
    modifiedSeconds: Int64
  ) {
    let kind: Kind =
      switch rawMode & 0o170000 {
      case 0o100000: .file
      case 0o040000: .directory
      case 0o120000: .symbolicLink
      default: .other
      }
    self.init(
      inode: inode, byteCount: byteCount, userID: userID, groupID: groupID,
      mode: rawMode & 0o7777, modifiedSeconds: modifiedSeconds, kind: kind)
  }

  /// Whether both describe the same contents, as far as figures can tell.
  func isSameContents(as other: FileStatus) -> Bool {
    inode == other.inode && byteCount == other.byteCount
      && modifiedSeconds == other.modifiedSeconds
  }
}
