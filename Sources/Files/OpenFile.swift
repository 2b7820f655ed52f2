import Glibc

/// A file that is open, and is closed with its last reference.
///
/// Every call blocks; none takes longer than the disk does. Reading and writing move the one position
/// that the file has, so that one task at a time may do so.
public final class OpenFile: Sendable {
  /// The path that it was opened by.
  public let path: String
  let descriptor: Int32
  /// Where the disk puts what is read, if not the system's copy in memory is read.
  private let diskBuffer: DiskBuffer?

  private init(
    path: String, flags: Int32, mode: mode_t, verb: String, diskBuffer: DiskBuffer? = nil
  ) throws(FileError) {
    let descriptor = unsafe open(path, flags | O_CLOEXEC, mode)
    guard descriptor >= 0 else {
      throw FileError(verb: verb, path: path, errorNumber: errno)
    }
    self.path = path
    self.descriptor = descriptor
    self.diskBuffer = diskBuffer
  }

  /// Opens a file for reading.
  ///
  /// A pipe is read as far as its writers write; one that nobody has open is at its end.
  ///
  /// - Parameter asksDisk: Whether to read what the disk holds, past the system's copy in memory, where the
  ///   file system can do that.
  /// - Throws: ``FileError``; a directory counts as a file that cannot be read (`EISDIR`).
  public convenience init(reading path: String, asksDisk: Bool = false) throws(FileError) {
    // Without O_NONBLOCK a FIFO of that name would hold us until somebody writes to it.
    try self.init(
      path: path, flags: O_RDONLY | O_NONBLOCK, mode: 0, verb: "open",
      diskBuffer: asksDisk ? DiskBuffer() : nil)
    let kind = try status().kind
    guard kind != .directory else {
      throw FileError(verb: "read", path: path, errorNumber: EISDIR)
    }
    // From here on a writer that is there may take its time: `--password-file <(command)`.
    let flags = fcntl(descriptor, F_GETFL)
    guard flags >= 0, fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK) == 0 else {
      throw FileError(verb: "open", path: path, errorNumber: errno)
    }
    // A file system that cannot do it refuses here or at the first read.
    if asksDisk { _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK | __O_DIRECT) }
  }

  /// Creates a file that must not exist yet, readable and writable by its owner alone.
  public convenience init(creating path: String) throws(FileError) {
    try self.init(
      path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, verb: "create")
  }

  /// Opens a file for writing at its end; it is created, for its owner alone, when it is missing.
  public convenience init(appending path: String) throws(FileError) {
    try self.init(
      path: path, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600, verb: "open")
  }

  /// Opens a file that other processes lock too; it is created when it is missing.
  public convenience init(locking path: String) throws(FileError) {
    try self.init(
      path: path, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600, verb: "open")
  }

  deinit {
    close(descriptor)
  }

  private static let pieceByteCount = 64 << 10

  /// Reads all that is left of a small file.
  ///
  /// - Throws: ``FileError``, with `EFBIG` when that is more than `limit` bytes.
  public func contents(limit: Int) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
      // In pieces, since room for the limit is asked of the system each time.
      let piece = try read(upTo: min(Self.pieceByteCount, limit + 1 - bytes.count))
      if piece.isEmpty { return bytes }
      bytes += piece
      guard bytes.count <= limit else {
        throw FileError(verb: "read", path: path, errorNumber: EFBIG)
      }
    }
  }

  /// Reads the next bytes: at least one, at most `limit`; none at the end of the file.
  public func read(upTo limit: Int) throws(FileError) -> [UInt8] {
    if let diskBuffer { return try read(upTo: limit, through: diskBuffer) }
    var failure: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
      var result = unsafe Glibc.read(descriptor, buffer.baseAddress, limit)
      while result < 0 && errno == EINTR {
        result = unsafe Glibc.read(descriptor, buffer.baseAddress, limit)
      }
      failure = result < 0 ? errno : 0
      count = max(result, 0)
    }
    guard failure == 0 else { throw FileError(verb: "read", path: path, errorNumber: failure) }
    return bytes
  }

  private func read(
    upTo limit: Int, through buffer: DiskBuffer
  ) throws(FileError) -> [UInt8] {
    let byteCount = min(limit, DiskBuffer.byteCount)
    var result = unsafe Glibc.read(descriptor, buffer.start, byteCount)
    while result < 0 && (errno == EINTR || (errno == EINVAL && stopAskingDisk())) {
      result = unsafe Glibc.read(descriptor, buffer.start, byteCount)
    }
    guard result >= 0 else { throw FileError(verb: "read", path: path, errorNumber: errno) }
    // After the last bytes of a file the position is between two blocks, where no disk reads.
    if result % DiskBuffer.blockByteCount != 0 { stopAskingDisk() }
    return unsafe [UInt8](UnsafeRawBufferPointer(start: buffer.start, count: result))
  }

  /// - Returns: False when the disk was not asked any more.
  @discardableResult
  private func stopAskingDisk() -> Bool {
    let flags = fcntl(descriptor, F_GETFL)
    return flags >= 0 && flags & __O_DIRECT != 0
      && fcntl(descriptor, F_SETFL, flags & ~__O_DIRECT) == 0
  }

  /// Writes all of the bytes.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    var written = 0
    while written < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
        return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      }
      if result < 0 && errno == EINTR { continue }
      guard result >= 0 else { throw FileError(verb: "write", path: path, errorNumber: errno) }
      written += result
    }
  }

  /// Makes the bytes durable: after this they survive a power cut.
  public func sync() throws(FileError) {
    guard fsync(descriptor) == 0 else {
      throw FileError(verb: "sync", path: path, errorNumber: errno)
    }
  }

  /// Lets everybody read the file.
  public func makeReadable() throws(FileError) {
    guard fchmod(descriptor, 0o644) == 0 else {
      throw FileError(verb: "open to readers", path: path, errorNumber: errno)
    }
  }

  /// Tells the system to forget its copy of the file in memory, so that the next read asks the disk.
  /// What has not been written yet it only begins to write.
  ///
  /// Only an advice: a file system may ignore it.
  public func dropCache() {
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
  }

  /// What the system knows of the file.
  public func status() throws(FileError) -> FileStatus {
    var raw = stat()
    guard unsafe fstat(descriptor, &raw) == 0 else {
      throw FileError(verb: "examine", path: path, errorNumber: errno)
    }
    return FileStatus(raw)
  }

  /// Takes the lock on the file for this process, unless another one has it.
  ///
  /// The lock goes when the last reference to the file goes or the process ends, however it ends.
  /// - Returns: False when another process holds it.
  /// - Throws: ``FileError`` where the file system has no locks.
  public func tryLock() throws(FileError) -> Bool {
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      switch errno {
      case EINTR: continue
      case EWOULDBLOCK: return false
      default: throw FileError(verb: "lock", path: path, errorNumber: errno)
      }
    }
    return true
  }

  /// Puts these bytes in the place of all that the file holds.
  public func replaceContents(with bytes: [UInt8]) throws(FileError) {
    guard ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 else {
      throw FileError(verb: "write", path: path, errorNumber: errno)
    }
    try write(bytes)
  }
}
