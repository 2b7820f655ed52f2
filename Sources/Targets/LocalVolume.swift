import Crypto
import Glibc

/// The files of this host.
public struct LocalVolume: DataVolume {
  /// What stays in the cache of a core until it has been passed on.
  static let pieceByteCount = 256 << 10

  /// Creates the volume.
  public init() {}

  /// Returns what is at a path; see ``DataVolume/status(of:)``.
  public func status(of path: String) async throws -> FileStatus? {
    try Path.check(path)
    return try POSIX.status(of: path)
  }

  /// Returns the names in a directory; see ``DataVolume/list(_:)``.
  public func list(_ directory: String) async throws -> [String]? {
    try Path.check(directory)
    return try POSIX.names(in: directory)?.sorted()
  }

  /// Returns the whole of a small file; see ``DataVolume/contents(of:limit:)``.
  public func contents(of path: String, limit: Int) async throws -> [UInt8]? {
    try Path.check(path)
    guard try POSIX.status(of: path) != nil else { return nil }
    let file = try openFile(try POSIX.realPath(path))
    var bytes: [UInt8] = []
    while true {
      let piece = try file.read(
        at: UInt64(bytes.count), count: min(Self.pieceByteCount, limit - bytes.count + 1))
      guard piece.count <= limit - bytes.count else {
        throw TargetError.tooLong(what: path, limit: limit)
      }
      if piece.isEmpty { return bytes }
      bytes += piece
    }
  }

  /// Returns how a file could be read; see ``DataVolume/transport(for:slowly:)``.
  public func transport(for path: String, slowly: Bool) async throws -> FileTransport? {
    do {
      guard try await list(Path.parent(of: path)) != nil else { return nil }
    } catch TargetError.permissionDenied {
      return nil
    }
    do {
      let watch = try ReplacementWatch(path)
      return FileTransport(name: "file", volume: self, replacements: watch)
    } catch TargetError.notWatched(let setting) {
      throw TargetError.notWatched(setting: setting)
    } catch {
      // Without it nothing tells whose file it is.
      return nil
    }
  }

  /// Delivers the whole of a file; see ``DataVolume/read(_:after:stallTimeout:deliver:)``.
  @discardableResult
  public func read(
    _ path: String, after _: FileStatus?, stallTimeout: Duration,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    try Path.check(path)
    let file = try openFile(path)
    let before = try file.status()
    var received: UInt64 = 0
    while true {
      try Task.checkCancellation()
      let piece = try file.read(at: received, count: Self.pieceByteCount)
      guard UInt64(piece.count) <= before.byteCount - received else {
        throw TargetError.changedWhileReading(path: path)
      }
      if piece.isEmpty { break }
      received += UInt64(piece.count)
      try await deliver(piece)
    }
    guard received == before.byteCount else {
      throw TargetError.cutShort(path: path, expected: before.byteCount, received: received)
    }
    guard let after = try POSIX.status(of: path), after.isSameContents(as: before) else {
      throw TargetError.changedWhileReading(path: path)
    }
    return after
  }

  /// Creates a file; see ``DataVolume/write(_:ownership:stallTimeout:from:)``.
  @discardableResult
  public func write(
    _ path: String, ownership: FileOwnership?, stallTimeout: Duration,
    from next: @Sendable () async throws -> [UInt8]?
  ) async throws -> FileStatus {
    try Path.check(path)
    let file = try POSIXFile(path, O_WRONLY | O_CREAT | O_EXCL)
    do {
      while let piece = try await next() {
        try Task.checkCancellation()
        try file.write(piece)
      }
      if let ownership { try file.take(ownership) }
      try file.sync()
      try syncDirectory(Path.parent(of: path))
      return try file.status()
    } catch {
      _ = unsafe unlink(path)
      throw error
    }
  }

  /// Returns the SHA-256 of a file; see ``DataVolume/sha256(of:stallTimeout:)``.
  public func sha256(of path: String, stallTimeout: Duration) async throws -> String {
    try Path.check(path)
    let file = try openFile(path)
    var digest = SHA256()
    var offset: UInt64 = 0
    while true {
      try Task.checkCancellation()
      let piece = try file.read(at: offset, count: Self.pieceByteCount)
      if piece.isEmpty { return digest.finalize().hexadecimal }
      digest.update(data: piece)
      offset += UInt64(piece.count)
      await Task.yield()
    }
  }

  /// Gives a file a second name; see ``DataVolume/link(_:to:)``.
  public func link(_ path: String, to newPath: String) async throws {
    try Path.check(path)
    try Path.check(newPath)
    guard unsafe Glibc.link(path, newPath) == 0 else {
      let number = errno
      switch number {
      case EPERM, EOPNOTSUPP, ENOSYS, EMLINK, EXDEV:
        throw TargetError.linksNotSupported(path: path, message: POSIX.text(number))
      case EEXIST: throw TargetError.fileExists(path: newPath)
      default: throw POSIX.failure(number, path)
      }
    }
    try syncDirectory(Path.parent(of: newPath))
  }

  /// Puts a small text in the place of a file; see ``DataVolume/replace(_:with:)``.
  public func replace(_ path: String, with text: String) async throws {
    let staged = path + ".new"
    try await remove(staged)
    try await write(staged, ownership: nil, contents: Array(text.utf8))
    try await rename(staged, to: path)
  }

  /// Renames a file in one step; see ``DataVolume/rename(_:to:)``.
  public func rename(_ path: String, to newPath: String) async throws {
    try Path.check(path)
    try Path.check(newPath)
    if try POSIX.status(of: newPath)?.kind == .directory {
      throw TargetError.fileExists(path: newPath)
    }
    _ = try POSIX.call(path) { unsafe Glibc.rename(path, newPath) }
    try syncDirectory(Path.parent(of: newPath))
    if Path.parent(of: path) != Path.parent(of: newPath) {
      try syncDirectory(Path.parent(of: path))
    }
  }

  /// Removes a file; see ``DataVolume/remove(_:)``.
  public func remove(_ path: String) async throws {
    try Path.check(path)
    guard try POSIX.status(of: path) != nil else { return }
    _ = try POSIX.call(path) { unsafe unlink(path) }
    try syncDirectory(Path.parent(of: path))
  }

  /// Creates a directory; see ``DataVolume/makeDirectory(_:ownership:)``.
  public func makeDirectory(_ path: String, ownership: FileOwnership?) async throws {
    try Path.check(path)
    _ = try POSIX.call(path) { unsafe mkdir(path, 0o700) }
    let directory = try POSIXFile(path, O_RDONLY | O_DIRECTORY)
    if let ownership { try directory.take(ownership) }
    try directory.sync()
    try syncDirectory(Path.parent(of: path))
  }

  /// Removes an empty directory; see ``DataVolume/removeDirectory(_:)``.
  public func removeDirectory(_ path: String) async throws {
    try Path.check(path)
    guard try POSIX.status(of: path) != nil else { return }
    _ = try POSIX.call(path) { unsafe rmdir(path) }
    try syncDirectory(Path.parent(of: path))
  }

  /// Returns the free bytes; see ``DataVolume/freeByteCount(at:)``.
  public func freeByteCount(at path: String) async throws -> UInt64 {
    try Path.check(path)
    var status = statvfs()
    _ = try POSIX.call(path) { unsafe statvfs(path, &status) }
    let (byteCount, isTooMuch) = UInt64(status.f_bavail)
      .multipliedReportingOverflow(by: UInt64(status.f_frsize))
    return isTooMuch ? .max : byteCount
  }

  private func openFile(_ path: String) throws(TargetError) -> POSIXFile {
    let file = try POSIXFile(path, O_RDONLY)
    guard try file.status().kind == .file else { throw .notRegularFile(path: path) }
    return file
  }

  private func syncDirectory(_ path: String) throws(TargetError) {
    // O_NOFOLLOW holds for the last component only, and a data directory may be a link.
    let real = try POSIX.realPath(path)
    try POSIXFile(real, O_RDONLY | O_DIRECTORY).sync()
  }
}
