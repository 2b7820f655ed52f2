import Glibc

/// An open file or directory that is closed with its value.
struct POSIXFile: ~Copyable {
  let descriptor: Int32
  private let path: String

  /// Opens a path; a symbolic link at its end is an error.
  init(_ path: String, _ flags: Int32, mode: mode_t = 0o600) throws(TargetError) {
    descriptor = try POSIX.call(path) {
      unsafe open(path, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, mode)
    }
    self.path = path
  }

  deinit {
    close(descriptor)
  }

  func status() throws(TargetError) -> FileStatus {
    var status = stat()
    _ = try POSIX.call(path) { unsafe fstat(descriptor, &status) }
    return FileStatus(status)
  }

  /// Returns up to `count` bytes from an offset; none at the end of the file.
  func read(at offset: UInt64, count: Int) throws(TargetError) -> [UInt8] {
    var result: Result<Int, TargetError> = .success(0)
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
      result = Result { () throws(TargetError) in
        try POSIX.call(path) {
          unsafe pread(descriptor, buffer.baseAddress, count, off_t(clamping: offset))
        }
      }
      if case .success(let read) = result { length = read }
    }
    _ = try result.get()
    return bytes
  }

  func write(_ bytes: [UInt8]) throws(TargetError) {
    var start = 0
    while start < bytes.count {
      start += try POSIX.call(path) {
        unsafe bytes.withUnsafeBytes { buffer in
          unsafe Glibc.write(
            descriptor, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
        }
      }
    }
  }

  func sync() throws(TargetError) {
    _ = try POSIX.call(path) { fsync(descriptor) }
  }

  /// Gives the file this ownership: owner and group where they differ and this process may.
  func take(_ ownership: FileOwnership) throws(TargetError) {
    let status = try status()
    if (status.userID, status.groupID) != (ownership.userID, ownership.groupID) {
      if geteuid() == 0 {
        _ = try POSIX.call(path) { fchown(descriptor, ownership.userID, ownership.groupID) }
      } else {
        // Members may give a file to their group; where that is refused, the status tells.
        _ = fchown(descriptor, .max, ownership.groupID)
      }
    }
    _ = try POSIX.call(path) { fchmod(descriptor, ownership.mode) }
  }
}

/// Calls of the C library with their errors as ``TargetError``.
enum POSIX {
  /// Calls until it is not interrupted, and throws what `errno` says when the result is negative.
  static func call<Result: FixedWidthInteger & SignedInteger>(
    _ path: String, _ body: () -> Result
  ) throws(TargetError) -> Result {
    while true {
      let result = body()
      if result >= 0 { return result }
      if errno != EINTR { throw failure(errno, path) }
    }
  }

  /// The fact behind an error number.
  static func failure(_ number: Int32, _ path: String) -> TargetError {
    switch number {
    case ENOENT, ENOTDIR: .fileNotFound(path: path)
    case EEXIST: .fileExists(path: path)
    case EACCES, EPERM, EROFS: .permissionDenied(path: path)
    case ENOSPC, EDQUOT: .noSpace(path: path)
    case ELOOP: .notRegularFile(path: path)
    default: .io(path: path, message: text(number))
    }
  }

  /// The C library's text for an error number.
  static func text(_ number: Int32) -> String {
    unsafe String(cString: strerror(number))
  }

  /// What is at a path; a symbolic link is described, not followed. Nil when nothing is there.
  static func status(of path: String) throws(TargetError) -> FileStatus? {
    var status = stat()
    do throws(TargetError) {
      _ = try call(path) { unsafe lstat(path, &status) }
    } catch .fileNotFound {
      return nil
    }
    return FileStatus(status)
  }
}

extension FileStatus {
  /// Creates a status from the C library's.
  init(_ status: stat) {
    self.init(
      inode: UInt64(status.st_ino), byteCount: UInt64(clamping: status.st_size),
      userID: status.st_uid, groupID: status.st_gid, rawMode: status.st_mode,
      modifiedSeconds: Int64(status.st_mtim.tv_sec))
  }
}

extension POSIX {
  /// The names in a directory, in no order; nil when it is not there.
  static func names(in directory: String) throws(TargetError) -> [String]? {
    guard let stream = unsafe opendir(directory) else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw failure(errno, directory)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    while true {
      errno = 0
      guard let entry = unsafe readdir(stream) else {
        if errno != 0 { throw failure(errno, directory) }
        return names
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
      }
      if name != ".", name != ".." { names.append(name) }
    }
  }
}

extension POSIX {
  /// The path without symbolic links.
  static func realPath(_ path: String) throws(TargetError) -> String {
    guard let pointer = unsafe realpath(path, nil) else { throw failure(errno, path) }
    defer { unsafe free(pointer) }
    return unsafe String(cString: pointer)
  }
}

extension POSIX {
  /// The text of a file that the kernel makes up; nil when it is gone or not for us.
  static func kernelText(_ path: String) -> String? {
    do throws(TargetError) {
      return String(decoding: try POSIXFile(path, O_RDONLY).read(at: 0, count: 4096), as: UTF8.self)
    } catch {
      return nil
    }
  }
}
