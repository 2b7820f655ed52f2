/// The rules for paths that are passed to calls and commands.
enum Path {
  /// - Throws: ``TargetError/io(path:message:)`` for a path that is relative or has a zero byte.
  static func check(_ path: String) throws(TargetError) {
    guard path.utf8.first == UInt8(ascii: "/") else {
      throw .io(path: path, message: "not an absolute path")
    }
    guard !path.utf8.contains(0) else {
      throw .io(path: path, message: "a path with a zero byte")
    }
  }

  /// The directory that a path is in.
  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
    return String(path[..<slash])
  }

  /// Whether tools that split or clean their arguments leave this path as it is.
  static func isPlain(_ path: String) -> Bool {
    let marks = Set("/._-".utf8)
    let isLiteral = path.utf8.allSatisfy { byte in
      marks.contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
    let components = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    return isLiteral && !components.contains { $0.isEmpty || $0 == "." || $0 == ".." }
  }
}
