import Glibc

/// A system call on a file that failed, as facts.
public struct FileError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What was tried, as a verb: "open", "write", "sync".
  public let verb: String
  /// The path that it was tried on.
  public let path: String
  /// The `errno` that the system gave.
  public let errorNumber: Int32

  /// Creates an error from its facts.
  public init(verb: String, path: String, errorNumber: Int32) {
    self.verb = verb
    self.path = path
    self.errorNumber = errorNumber
  }

  /// The file or a directory on the way to it does not exist.
  public var isMissing: Bool { errorNumber == ENOENT || errorNumber == ENOTDIR }

  /// Something of that name is there already.
  public var isExisting: Bool { errorNumber == EEXIST }

  /// The user of this process may not do this.
  public var isDenied: Bool { errorNumber == EACCES || errorNumber == EPERM }

  /// Nothing can be changed there, whoever asks.
  public var isReadOnly: Bool { errorNumber == EROFS }

  /// A directory where a file was expected.
  public var isDirectory: Bool { errorNumber == EISDIR }

  /// The file system cannot do this at all, or not to files made by others.
  public var isUnsupported: Bool {
    [EOPNOTSUPP, ENOTSUP, ENOSYS, EINVAL, EPERM, EMLINK, ENOLCK].contains(errorNumber)
  }

  /// The disk has lost the bytes, or the file system its knowledge of them.
  public var isLoss: Bool { [EIO, EUCLEAN, EBADMSG].contains(errorNumber) }

  /// The file system, the user's quota, or the limit of the process is used up.
  public var isFull: Bool { [ENOSPC, EDQUOT, EFBIG].contains(errorNumber) }

  /// What the system says, in lower case: "permission denied".
  public var reason: String {
    let text = unsafe String(cString: strerror(errorNumber))
    return text.prefix(1).lowercased() + text.dropFirst()
  }

  /// The lower-case fact: "cannot open /x: permission denied".
  public var description: String { "cannot \(verb) \(path): \(reason)" }
}
