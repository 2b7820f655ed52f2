import Targets

extension DataVolume {
  /// The number of a directory in its file system, where a link at the end of the path is followed; nil where it
  /// cannot be seen.
  func inode(ofDirectory path: String) async throws -> UInt64? {
    try await status(of: join(path, "."))?.inode
  }
}
