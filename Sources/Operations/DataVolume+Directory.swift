import Targets

extension DataVolume {
  /// The number of a directory in its file system, where a link at the end of the path is followed; nil where it
  /// cannot be seen.
  func inode(ofDirectory path: String) async throws -> UInt64? {
    try await status(of: join(path, "."))?.inode
  }

  /// Whether two paths lead to one directory; false where neither can be seen.
  func isOneDirectory(_ path: String, _ other: String) async throws -> Bool {
    guard let number = try await inode(ofDirectory: path) else { return false }
    return try await inode(ofDirectory: other) == number
  }
}
