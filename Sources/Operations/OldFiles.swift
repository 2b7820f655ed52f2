import Targets

/// The files that a server which does not run may read at its next start, as far as its data directory tells.
///
/// Without a server nobody says whether it keeps an append-only file, and of which kind; so everything that it may
/// read counts.
struct OldFiles: Sendable, Equatable {
  private static let limit = 1 << 20
  /// What names of copies have in them that an earlier restore has kept.
  private static let keptMark = ".before-"

  /// The names, in the form in which a running server tells them.
  let settings: ServerSettings
  /// Whether there are parts of an append-only file.
  let hasParts: Bool
  /// Whether anything has the name of their directory.
  let hasDirectory: Bool
  /// Whether its manifest is there.
  let hasManifest: Bool
  /// Whether there is a dump.
  let hasDump: Bool
  /// Whether there is an append-only file of one piece.
  let hasSingleFile: Bool
  /// The highest sequence number of a part.
  let highestSequence: Int64
  /// The size of all that may be kept under a second name.
  let byteCount: UInt64

  /// Whether the server may keep an append-only file of one piece (6.2).
  private var mayBeOnePiece: Bool { hasSingleFile || !hasParts }

  /// The server's `dir` among directories, of which each may be the mount of its volume.
  ///
  /// - Throws: ``RestoreRefusal`` where that cannot be told.
  static func directory(
    among directories: [String], on volume: any DataVolume
  ) async throws -> String {
    guard directories.count != 1 else { return directories[0] }
    for directory in directories {
      for name in try await volume.list(directory) ?? [] where isData(name) { return directory }
    }
    throw RestoreRefusal.dataDirectoryUnclear(directories)
  }

  /// Looks what is there.
  ///
  /// - Throws: ``RestoreRefusal`` where there are several of a kind.
  static func find(
    in directory: String, on volume: any DataVolume, told: NextStart?
  ) async throws -> OldFiles {
    guard let names = try await volume.list(directory) else {
      throw RestoreRefusal.noDataDirectory(directory)
    }
    var sizes: [String: UInt64] = [:]
    var parts: [(directory: String, file: String, sequence: Int64, byteCount: UInt64)] = []
    for name in names where !name.contains(keptMark) {
      let path = join(directory, name)
      guard var status = try await volume.status(of: path) else { continue }
      if status.kind == .symbolicLink {
        // Described is what it leads to, where that is a directory.
        status = try await volume.status(of: join(path, ".")) ?? status
      }
      if status.kind == .file {
        sizes[name] = status.byteCount
      } else if status.kind == .directory, let found = try await Parts(in: path, on: volume) {
        parts.append((name, found.fileName, found.highestSequence, found.byteCount))
      }
    }
    func only(_ setting: String, _ usual: String, _ suffix: String) throws -> String {
      if let name = told?.name(setting, usually: usual) { return name }
      let found = sizes.keys.filter { $0.hasSuffix(suffix) && !$0.hasPrefix("temp-") }.sorted()
      guard !found.contains(usual), let first = found.first else { return usual }
      guard found.count == 1 else {
        throw RestoreRefusal.severalFiles(found.map { join(directory, $0) })
      }
      return first
    }
    if let name = told?.name("appenddirname", usually: "appendonlydir") {
      parts.removeAll { $0.directory != name }
    }
    guard parts.count < 2 else {
      throw RestoreRefusal.severalFiles(parts.map { join(directory, $0.directory) })
    }
    let dump = try only("dbfilename", "dump.rdb", ".rdb")
    let single = try only("appendfilename", "appendonly.aof", ".aof")
    let part = parts.first
    let name = part?.directory ?? told?.settings["appenddirname"] ?? "appendonlydir"
    let file = part?.file ?? single
    return OldFiles(
      settings: ServerSettings(
        directory: directory, dumpFileName: dump, appendOnly: true,
        appendFileName: file, appendDirectoryName: name,
        save: "", minReplicasToWrite: "0", minReplicasMaxLag: "10", databases: 16),
      hasParts: part != nil, hasDirectory: names.contains(name),
      hasManifest: try await volume.status(
        of: join(join(directory, name), file + ".manifest")) != nil,
      hasDump: sizes[dump] != nil, hasSingleFile: sizes[file] != nil,
      highestSequence: part?.sequence ?? 0,
      byteCount: (sizes[dump] ?? 0) + (sizes[single] ?? 0) + (part?.byteCount ?? 0))
  }

  /// What is put in the place of all of them, the dump first. An append-only file of one piece (6.2) is read
  /// only by a server that makes no parts.
  func files(stamp: String) -> [RestoreFiles] {
    let manifest = AOFManifest(
      files: [AOFManifest.File(name: "highest", sequence: highestSequence, type: "i")])
    let layouts: [RestoreLayout] =
      [.snapshot, .multiPartAOF] + (mayBeOnePiece ? [.singleFileAOF] : [])
    return layouts.map { layout in
      var files = RestoreFiles(
        settings: settings, layout: layout, manifest: manifest, stamp: stamp)
      switch layout {
      case .snapshot: files.wasThere = hasDump
      case .singleFileAOF: files.wasThere = hasSingleFile
      case .multiPartAOF:
        files.wasThere = hasManifest
        if !hasDirectory { files.makesDirectory = true }
      }
      return files
    }
  }

  /// What must be free on the volume for a dump of that size.
  func neededByteCount(_ dumpByteCount: UInt64, hasLinks: Bool) -> UInt64 {
    // Two files of one dump, where one cannot have two names; old files, and a copy on the way back.
    let copies: UInt64 = (hasLinks ? 1 : 2) + (mayBeOnePiece ? 1 : 0)
    let (dumps, isTooMuch) = dumpByteCount.multipliedReportingOverflow(by: copies)
    let (need, isTooMuchInAll) = dumps.addingReportingOverflow(
      (1 << 20) + (hasLinks ? 0 : byteCount.multipliedReportingOverflow(by: 2).partialValue))
    return isTooMuch || isTooMuchInAll ? .max : need
  }

  private static func isData(_ name: String) -> Bool {
    name == RestoreFiles.name(of: RestoreFiles.journal(in: "/")) || name.hasSuffix(".rdb")
      || name.hasSuffix(".aof") || name == "appendonlydir"
  }

  /// A directory with the parts of an append-only file.
  private struct Parts {
    let fileName: String
    let highestSequence: Int64
    let byteCount: UInt64

    /// Nil where it holds none.
    init?(in directory: String, on volume: any DataVolume) async throws {
      let names = try await volume.list(directory) ?? []
      // `appendonly.aof.manifest`, `appendonly.aof.3.incr.aof`; the manifest may be what is missing.
      var files: [String: Int64] = [:]
      for name in names where !name.contains(".restore") && !name.hasPrefix("temp-") {
        if name.hasSuffix(".manifest") {
          let file = String(name.dropLast(".manifest".count))
          files[file] = max(files[file] ?? 0, 0)
        } else if let part = PartName(name) {
          files[part.file] = max(files[part.file] ?? 0, part.sequence)
        }
      }
      guard let file = files.keys.sorted().first else { return nil }
      guard files.count == 1 else {
        throw RestoreRefusal.severalFiles(files.keys.sorted().map { join(directory, $0) })
      }
      fileName = file
      highestSequence = files[file] ?? 0
      var sum: UInt64 = 0
      for name in names {
        sum += try await volume.status(of: join(directory, name))?.byteCount ?? 0
      }
      byteCount = sum
    }
  }
}

/// The name of a part of an append-only file: `appendonly.aof.1003.base.rdb`.
struct PartName {
  let file: String
  let sequence: Int64

  /// Nil for the name of anything else.
  init?(_ name: String) {
    let words = name.split(separator: ".", omittingEmptySubsequences: false)
    guard words.count > 3, ["base", "incr"].contains(words[words.count - 2]),
      let sequence = Int64(words[words.count - 3])
    else { return nil }
    self.sequence = sequence
    file = words.dropLast(3).joined(separator: ".")
  }
}
