/// Which files a server loads at its start, and so which one must be replaced.
public enum RestoreLayout: String, Codable, Sendable {
  /// An append-only file in parts with a manifest (7.0 and later).
  case multiPartAOF = "multi_part_aof"
  /// One append-only file (6.2).
  case singleFileAOF = "single_file_aof"
  /// `dump.rdb`, because the append-only file is off.
  case snapshot

  /// What a server with these settings loads.
  init(_ settings: ServerSettings) {
    self =
      !settings.appendOnly
      ? .snapshot : settings.appendDirectoryName == nil ? .singleFileAOF : .multiPartAOF
  }
}

/// The paths of one file that a restore puts in place, or of one append-only file in parts, chosen once and kept in its journal.
struct RestoreFiles: Codable, Sendable, Equatable {
  /// A small file that is staged beside the dump.
  struct Text: Codable, Sendable, Equatable {
    let path: String
    let text: String
  }

  let layout: RestoreLayout
  /// The file that the next start reads first; replacing it is the commit point.
  let live: String
  /// The backup's dump under its own name.
  let stagedDump: String
  /// What is staged beside it: for parts an empty increment and the new manifest.
  let stagedTexts: [Text]
  /// What is renamed to ``live``.
  let replacement: String
  /// The second names of the old files: a directory for parts, else a file.
  let kept: String
  /// For parts: the sequence number of the backup.
  let sequence: Int64?
  /// For parts: whether there was no directory for them, so that nobody but this restore makes one; nil for no.
  var makesDirectory: Bool?
  /// Whether ``live`` was there before; nil where no second name of it tells that there was none.
  var wasThere: Bool?

  /// The directory of the append-only file's parts.
  var directory: String { String(live[..<(live.lastIndex(of: "/") ?? live.endIndex)]) }
  /// The name of ``live`` in its directory.
  var liveName: String { Self.name(of: live) }
  /// Where a copy of the old file waits to be renamed back.
  var returning: String { live + ".rollback" }

  /// Where a copy of an old file lies until it is whole.
  var copying: String { live + ".copying" }

  /// Chooses the paths.
  ///
  /// - Parameter stamp: What tells the second names of this restore from those of others.
  init(settings: ServerSettings, layout: RestoreLayout, manifest: AOFManifest?, stamp: String) {
    self.layout = layout
    switch layout {
    case .multiPartAOF:
      let directory = join(settings.directory, settings.appendDirectoryName ?? "appendonlydir")
      let name = settings.appendFileName
      // Far above what the old server can reach in the meantime, so that a higher number is ours.
      let sequence = (manifest?.highestSequence ?? 0) + 1000
      let base = "\(name).\(sequence).base.rdb"
      let increment = "\(name).\(sequence).incr.aof"
      let replacement = AOFManifest(files: [
        AOFManifest.File(name: base, sequence: sequence, type: "b"),
        AOFManifest.File(name: increment, sequence: sequence, type: "i"),
      ])
      live = join(directory, "\(name).manifest")
      stagedDump = join(directory, base)
      self.replacement = live + ".restore"
      stagedTexts = [
        Text(path: join(directory, increment), text: ""),
        Text(path: self.replacement, text: replacement.text),
      ]
      kept = "\(directory).before-\(stamp)"
      self.sequence = sequence
    case .singleFileAOF, .snapshot:
      let name = layout == .snapshot ? settings.dumpFileName : settings.appendFileName
      live = join(settings.directory, name)
      stagedDump = live + ".restore"
      replacement = stagedDump
      stagedTexts = []
      kept = "\(live).before-\(stamp)"
      sequence = nil
    }
  }

  /// The last component of a path.
  static func name(of path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }

  /// Everything that a restore makes and may remove again.
  var made: [String] {
    var paths = [stagedDump, returning, copying, kept] + stagedTexts.map(\.path)
    if !paths.contains(replacement) { paths.append(replacement) }
    return paths
  }

  /// Where the journal of a restore lies in a data directory.
  static func journal(in directory: String) -> String { join(directory, "raibid-restore.json") }
}
