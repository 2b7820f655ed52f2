/// The files of a Redis, wherever they are.
///
/// All paths are absolute; a relative path, or one with a zero byte, is a ``TargetError/io(path:message:)``.
/// Every function throws ``TargetError``, or what the caller's own closure throws, or
/// `CancellationError`.
public protocol DataVolume: Sendable {
  /// Returns what is at a path, or nil when nothing is there.
  ///
  /// A symbolic link at the end of the path is described, not followed.
  func status(of path: String) async throws -> FileStatus?

  /// Returns the names in a directory, sorted, without `.` and `..`; nil when there is no such
  /// directory.
  func list(_ directory: String) async throws -> [String]?

  /// Returns the whole of a small file, or nil when nothing is there; a symbolic link is followed.
  ///
  /// - Throws: ``TargetError/tooLong(what:limit:)`` when the file is longer than `limit` bytes.
  func contents(of path: String, limit: Int) async throws -> [UInt8]?

  /// Returns how the file at this path could be read as a whole, decided once by what is there now.
  ///
  /// - Parameter slowly: Whether its bytes will be taken more slowly than they could come.
  /// - Returns: Nil where its directory cannot be seen from here, or where no server could write it.
  /// - Throws: ``TargetError/notWatched(setting:)`` where nothing could tell whose file it is, among others.
  func transport(for path: String, slowly: Bool) async throws -> FileTransport?

  /// Delivers the whole of a file, in order, in pieces of at most 1 MiB.
  ///
  /// No piece is read before the one before it was taken. The call returns only when every byte
  /// was delivered, and inode, size and time of the file were the same before and after.
  ///
  /// - Parameters:
  ///   - before: What ``status(of:)`` has just told, which may save another look; nil to look now.
  ///   - stallTimeout: The longest wait for the next byte; time spent in `deliver` does not count.
  /// - Returns: The status of the file that was read.
  /// - Throws: ``TargetError/cutShort(path:expected:received:)``,
  ///   ``TargetError/changedWhileReading(path:)`` or ``TargetError/stalled(what:seconds:)``, among
  ///   others; what was delivered until then is worth nothing.
  @discardableResult
  func read(
    _ path: String, after before: FileStatus?, stallTimeout: Duration,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus

  /// Creates a file that holds what `next` gives until it gives nil, and syncs file and directory.
  ///
  /// An existing file is never touched (``TargetError/fileExists(path:)``). After a failure, the
  /// file that this call began is removed where the volume still answers. The mode is set as asked;
  /// owner and group are set where they differ and the writer is root, otherwise group only and
  /// where allowed: the returned status says what they are.
  ///
  /// - Parameter ownership: What the file shall have; nil for owner and group of the writer, 0600.
  @discardableResult
  func write(
    _ path: String, ownership: FileOwnership?, stallTimeout: Duration,
    from next: @Sendable () async throws -> [UInt8]?
  ) async throws -> FileStatus

  /// Puts a small text in the place of a file, or where there is none, in one step, and syncs both.
  ///
  /// The file belongs to the writer alone (0600). An interruption can leave `PATH.new` behind.
  ///
  /// - Parameter text: At most 64 KiB, without zero bytes.
  func replace(_ path: String, with text: String) async throws

  /// Returns the SHA-256 of a file in 64 lower-case hex digits, computed where the file is if that
  /// is possible.
  func sha256(of path: String, stallTimeout: Duration) async throws -> String

  /// Gives a file a second name in the same file system, and syncs its directory.
  ///
  /// - Throws: ``TargetError/linksNotSupported(path:message:)`` where the volume has no hard links,
  ///   ``TargetError/fileExists(path:)`` when the new name is taken.
  func link(_ path: String, to newPath: String) async throws

  /// Renames a file in one step, replacing a file that has the new name, and syncs the directories.
  ///
  /// Never moves into a directory (``TargetError/fileExists(path:)``) or across file systems.
  func rename(_ path: String, to newPath: String) async throws

  /// Removes a file and syncs its directory; does nothing when nothing is there.
  func remove(_ path: String) async throws

  /// Creates one directory and syncs its parent.
  ///
  /// - Parameter ownership: As in ``write(_:ownership:stallTimeout:from:)``; nil means mode 0700.
  func makeDirectory(_ path: String, ownership: FileOwnership?) async throws

  /// Removes an empty directory and syncs its parent; does nothing when nothing is there.
  func removeDirectory(_ path: String) async throws

  /// Returns how many bytes can still be written in the file system of a path.
  func freeByteCount(at path: String) async throws -> UInt64
}

extension DataVolume {
  /// Delivers the whole of a file; see ``read(_:after:stallTimeout:deliver:)``.
  @discardableResult
  public func read(
    _ path: String, stallTimeout: Duration, deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    try await read(path, after: nil, stallTimeout: stallTimeout, deliver: deliver)
  }
}
