import FoundationEssentials

extension String {
  /// The path as it is seen from the directory that this process works in; an empty one stays empty.
  var absolutePath: String {
    guard !hasPrefix("/"), !isEmpty else { return self }
    let directory = FileManager.default.currentDirectoryPath
    return directory + (directory.hasSuffix("/") ? "" : "/") + self
  }
}
