import Dispatch
import Files
import Synchronization

/// A directory that holds archives of one Redis or of several.
public struct ArchiveDirectory: Sendable {
  /// The path of the directory.
  public let path: String

  static let lockName = ".raibid-backup.lock"

  /// Names a directory; nothing is looked at yet.
  public init(path: String) {
    self.path = path
  }

  /// Makes the directory, for its owner alone, when it is missing; one that exists is left as it is.
  ///
  /// - Parameter makingParent: Whether the directory above may be made too.
  /// - Throws: ``DirectoryError``, `FileError`.
  public func make(makingParent: Bool = false) throws {
    if let status = try FileTree.status(of: path) {
      guard status.kind == .directory else { throw DirectoryError.notADirectory(directory: path) }
      return
    }
    let parent = Self.parent(of: path)
    if try FileTree.status(of: parent) == nil {
      guard makingParent else { throw DirectoryError.parentMissing(directory: path) }
      try makeOne(parent)
    }
    try makeOne(path)
    try FileTree.syncDirectory(parent)
  }

  private func makeOne(_ path: String) throws {
    do {
      try FileTree.makeDirectory(path)
    } catch {
      if error.isExisting { return }
      throw DirectoryError.cannotMake(directory: path, error)
    }
  }

  private static func parent(of path: String) -> String {
    var trimmed = Substring(path)
    while trimmed.count > 1 && trimmed.hasSuffix("/") { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// Becomes the one writer of the directory, and removes what an interrupted writer left.
  ///
  /// - Parameter holder: What another run is told about this one while it holds the lock.
  /// - Throws: ``DirectoryError``, `FileError`.
  public func lock(holder: String) throws -> DirectoryLock {
    let file: OpenFile
    do {
      file = try OpenFile(locking: join(Self.lockName))
      guard try file.tryLock() else {
        let text = try FileTree.contents(of: file.path, limit: 4096) ?? []
        throw DirectoryError.locked(
          directory: path, holder: String(decoding: text, as: UTF8.self))
      }
    } catch let error as FileError where error.verb == "lock" {
      throw DirectoryError.cannotLock(directory: path, error)
    }
    try file.replaceContents(with: Array(holder.utf8))
    let lock = DirectoryLock(directory: self, file: file)
    try lock.sweep()
    return lock
  }

  /// All archives in the directory, newest first; a directory that is missing has none.
  ///
  /// Nothing is unpacked: the state of an archive is what its last verification said, as long as its
  /// size and digest file still agree with that.
  /// - Throws: `FileError`.
  public func archives() throws -> [ArchiveEntry] {
    try archives { $0 }
  }

  /// What a caller makes of all archives in the directory, newest first.
  ///
  /// - Parameter facts: Called on all cores, for archives of many nights; nothing else of them is kept.
  /// - Returns: Without those of which it makes nothing.
  /// - Throws: `FileError`, or what `facts` throws.
  public func archives<Facts: Sendable>(
    _ facts: @Sendable (ArchiveEntry) throws -> Facts?
  ) throws -> [Facts] {
    guard try FileTree.status(of: path) != nil else { return [] }
    let names = try FileTree.names(in: path)
      .filter { $0.hasSuffix(ArchiveName.archiveSuffix) }
      .compactMap { ArchiveName($0.dropLast(ArchiveName.archiveSuffix.count)) }
      .sorted(by: >)
    let stripes = stride(from: 0, to: names.count, by: Self.stripeLength).map { start in
      names[start..<min(start + Self.stripeLength, names.count)]
    }
    let found = Mutex<[Int: Result<[Facts], any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: stripes.count) { index in
      let result = Result {
        try stripes[index].compactMap { name in
          let entry = try ArchiveEntry(reading: name, in: self)
          return entry.exists ? try facts(entry) : nil
        }
      }
      found.withLock { $0[index] = result }
    }
    return try found.withLock { found in
      try stripes.indices.flatMap { try found[$0]?.get() ?? [] }
    }
  }

  /// Fewer archives than that are looked at faster by one thread.
  private static let stripeLength = 64

  /// The archives of one Redis, newest first.
  ///
  /// - Parameter source: The ``Source/identity`` that is wanted; nil accepts the only one there is.
  ///   Archives that do not say where they come from belong to every source.
  /// - Throws: ``DirectoryError/severalSources(directory:sources:)``, `FileError`.
  public func archives(of source: String?) throws -> [ArchiveEntry] {
    let all = try archives()
    if let source {
      return all.filter { $0.source == nil || $0.source == source }
    }
    let sources = Set(all.compactMap(\.source))
    guard sources.count <= 1 else {
      throw DirectoryError.severalSources(directory: path, sources: sources.sorted())
    }
    return all
  }

  /// The newest whole archive of a Redis that is not a safety backup.
  ///
  /// - Throws: ``DirectoryError``, `FileError`.
  public func latest(of source: String?) throws -> ArchiveEntry {
    let candidates = try archives(of: source).filter {
      $0.state == .verified && !$0.isSafetyBackup
    }
    guard let latest = candidates.first else {
      throw DirectoryError.noWholeArchive(directory: path)
    }
    return latest
  }

  /// Finds what a user calls an archive: a path, a name in the directory, or `latest`.
  ///
  /// A path may lead to any file; it counts as an archive of its own directory when it is called like
  /// one.
  /// - Throws: ``DirectoryError``, `FileError`.
  public func find(_ reference: String, source: String?) throws -> ArchiveEntry {
    if reference == "latest" { return try latest(of: source) }
    if !reference.contains("/"), let name = Self.name(inReference: reference) {
      let entry = try ArchiveEntry(reading: name, in: self)
      if entry.exists { return entry }
    }
    guard let status = try FileTree.status(of: reference) else {
      throw DirectoryError.archiveNotFound(reference: reference)
    }
    // Reading a device may never end, and a pipe can be read only once.
    guard status.kind != .other else { throw DirectoryError.notAFile(path: reference) }
    let slash = reference.lastIndex(of: "/")
    let file = slash.map { String(reference[reference.index(after: $0)...]) } ?? reference
    let directory = slash.map { $0 == reference.startIndex ? "/" : String(reference[..<$0]) } ?? "."
    if file.hasSuffix(ArchiveName.archiveSuffix), let name = Self.name(inReference: file) {
      return try ArchiveEntry(reading: name, in: ArchiveDirectory(path: directory))
    }
    return ArchiveEntry(foreignFile: reference)
  }

  private static func name(inReference text: String) -> ArchiveName? {
    for suffix in [
      ArchiveName.digestSuffix, ArchiveName.archiveSuffix, ArchiveName.manifestSuffix,
    ] where text.hasSuffix(suffix) {
      return ArchiveName(text.dropLast(suffix.count))
    }
    return ArchiveName(text)
  }

  func join(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }
}
