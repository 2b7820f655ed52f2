import Glibc

/// The names of files: what is there, and giving and taking names.
///
/// Paths may be absolute or relative to the working directory of the process.
public enum FileTree {
  /// What the system knows of a path; nil when nothing is there. Links are followed.
  public static func status(of path: String) throws(FileError) -> FileStatus? {
    var raw = stat()
    if unsafe stat(path, &raw) == 0 { return FileStatus(raw) }
    let error = FileError(verb: "examine", path: path, errorNumber: errno)
    guard error.isMissing else { throw error }
    return nil
  }

  /// The names in a directory, in no order, without `.` and `..`.
  public static func names(in directory: String) throws(FileError) -> [String] {
    guard let stream = unsafe opendir(directory) else {
      throw FileError(verb: "list", path: directory, errorNumber: errno)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else { break }
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
    }
    guard errno == 0 else {
      throw FileError(verb: "list", path: directory, errorNumber: errno)
    }
    return names
  }

  /// A file, open for reading; nil when it is missing.
  public static func file(at path: String) throws(FileError) -> OpenFile? {
    do {
      return try OpenFile(reading: path)
    } catch {
      guard error.isMissing else { throw error }
      return nil
    }
  }

  /// The whole contents of a small file; nil when it is missing.
  ///
  /// - Throws: ``FileError``, with `EFBIG` when the file is larger than `limit` bytes.
  public static func contents(of path: String, limit: Int) throws(FileError) -> [UInt8]? {
    try file(at: path)?.contents(limit: limit)
  }

  /// Gives a file a new name that nothing has yet, and takes the old one.
  ///
  /// - Throws: ``FileError``; `EEXIST` when something has the new name, and then nothing changed.
  public static func publish(_ path: String, as newPath: String) throws(FileError) {
    if unsafe Glibc.link(path, newPath) == 0 { return try remove(path) }
    let error = FileError(verb: "name", path: newPath, errorNumber: errno)
    guard error.isUnsupported else { throw error }
    // Without links nothing refuses in the same step; who publishes is alone in the directory.
    guard try status(of: newPath) == nil else {
      throw FileError(verb: "name", path: newPath, errorNumber: EEXIST)
    }
    try rename(path, replacing: newPath)
  }

  /// Gives a file another name; a file that had that name is gone, in one step.
  public static func rename(_ path: String, replacing newPath: String) throws(FileError) {
    guard unsafe Glibc.rename(path, newPath) == 0 else {
      throw FileError(verb: "name", path: newPath, errorNumber: errno)
    }
  }

  /// Removes a file; no error when it is missing.
  public static func remove(_ path: String) throws(FileError) {
    guard unsafe unlink(path) == 0 || errno == ENOENT else {
      throw FileError(verb: "remove", path: path, errorNumber: errno)
    }
  }

  /// Makes a directory that only its owner can enter; the one above it must exist.
  public static func makeDirectory(_ path: String) throws(FileError) {
    guard unsafe mkdir(path, 0o700) == 0 else {
      throw FileError(verb: "make", path: path, errorNumber: errno)
    }
  }

  /// Makes the names in a directory durable.
  public static func syncDirectory(_ path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FileError(verb: "open", path: path, errorNumber: errno)
    }
    defer { close(descriptor) }
    // A file system that cannot sync a directory (EINVAL) has nothing to make durable there.
    guard fsync(descriptor) == 0 || errno == EINVAL else {
      throw FileError(verb: "sync", path: path, errorNumber: errno)
    }
  }

  /// The bytes that this user can still write to the file system of a path.
  public static func freeByteCount(at path: String) throws(FileError) -> UInt64 {
    var raw = statvfs()
    guard unsafe statvfs(path, &raw) == 0 else {
      throw FileError(verb: "examine", path: path, errorNumber: errno)
    }
    return UInt64(raw.f_bavail) * UInt64(raw.f_frsize)
  }

  /// Whether this user may make files in a directory.
  public static func isWritableDirectory(_ path: String) -> Bool {
    unsafe access(path, W_OK | X_OK) == 0
  }
}
