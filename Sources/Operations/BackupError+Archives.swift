import ArchiveStore
import Files

// What is wrong with archives and with the files of this host.

extension BackupError {
  /// An error of archives or files.
  public init(storing error: any Error) {
    self.init(any: error, session: nil, verb: "use")
  }

  /// An error of an archive directory.
  public init(_ error: DirectoryError) {
    switch error {
    case .parentMissing(let directory):
      self.init(
        .cannotCreate, "cannot make \(directory): the directory above it does not exist",
        hint: "mkdir -p \(shellWord(directory))")
    case .cannotMake(let directory, let cause):
      self.init(
        .cannotCreate, "cannot make \(directory): \(cause.reason)",
        hint: "ls -ld \(shellWord(Self.parent(of: directory)))")
    case .notADirectory(let directory):
      self.init(
        .cannotCreate, "cannot use \(directory): it is not a directory",
        hint: "ls -ld \(shellWord(directory))")
    case .missing(let directory):
      self.init(
        .notFound, "cannot find \(directory): it does not exist", hint: .tool("create"))
    case .cannotLock(let directory, let cause):
      self.init(
        .config, "cannot lock \(directory): its file system has no locks",
        cause: cause.description, hint: "df -T \(shellWord(directory))")
    case .locked(let directory, let holder):
      self.init(
        .busy, "cannot lock \(directory): another run holds it",
        cause: holder.isEmpty ? nil : holder, hint: .shell(Self.look(at: holder, directory)))
    case .archiveNotFound(let reference):
      self.init(
        .notFound, "cannot find \(reference): there is no such archive and no such file",
        hint: .archives("list"))
    case .notAFile(let path):
      self.init(
        .notFound, "cannot read \(path): it is not a file", hint: "ls -ld \(shellWord(path))")
    case .noWholeArchive(let directory):
      self.init(
        .notFound, "cannot find the latest archive: there is no verified one in \(directory)",
        hint: .archives("list"))
    case .severalSources(let directory, let sources):
      self.init(
        .usage, "cannot tell which Redis is meant: \(directory) holds archives of several",
        cause: sources.joined(separator: ", "),
        hint: .again("--source \(shellWord(sources.first ?? ""))"))
    }
  }

  /// An archive directory that cannot be written to.
  ///
  /// - Parameter directory: The path of the directory.
  public init(using directory: String, _ error: FileError) {
    self.init(
      error.isDenied || error.isReadOnly ? .cannotCreate : .io,
      "cannot write to \(directory): \(error.reason)", hint: .shell(Self.look(at: directory, error))
    )
  }

  /// A file that cannot be written to, read from, or made.
  public init(_ error: FileError) {
    switch error.verb {
    case "read", "open": self = .cannotRead(error.path, error)
    case "list", "examine":
      self.init(
        error.isDenied ? .denied : .io, "cannot look at \(error.path): \(error.reason)",
        hint: "ls -ld \(shellWord(error.path))")
    default:
      let directory = Self.parent(of: error.path)
      self.init(
        error.isDenied || error.isReadOnly ? .cannotCreate : .io,
        "cannot \(error.verb) \(error.path): \(error.reason)",
        hint: .shell(Self.look(at: directory, error)))
    }
  }

  static func cannotRead(_ path: String, _ error: FileError) -> BackupError {
    if error.isMissing {
      return BackupError(
        .notFound, "cannot read \(path): it does not exist", hint: .archives("list"))
    }
    if error.isDirectory {
      return BackupError(
        .notFound, "cannot read \(path): it is a directory, not an archive",
        hint: "raibid-backup list --directory \(shellWord(path))")
    }
    return BackupError(
      error.isDenied ? .denied : .io, "cannot read \(path): \(error.reason)",
      hint: error.isDenied ? "ls -l \(shellWord(path))" : "dmesg | tail")
  }

  static func cannotRecordVerdict(_ path: String, _ error: FileError) -> BackupError {
    BackupError(
      .io, "cannot record the verdict on \(path): \(error.reason)",
      hint: .shell(look(at: parent(of: path), error)))
  }

  static func archiveDamaged(_ path: String, _ findings: [Finding]) -> BackupError {
    BackupError(
      .damaged, "cannot restore \(path): it is damaged; nothing was changed",
      cause: findings.first { $0.isDamage }?.message, hint: .archives("list"))
  }

  static func archiveNotUnderstood(_ path: String, version: Int) -> BackupError {
    BackupError(
      .incompatible,
      "cannot restore \(path): RDB version \(version) is newer than this tool understands; "
        + "nothing was changed", hint: "raibid-backup --version   # is there a newer one?")
  }

  static func noRoom(_ directory: String, need: UInt64, free: UInt64) -> BackupError {
    BackupError(
      .io,
      "cannot write the archive: \(directory) has \(Figures.bytes(free)) free, "
        + "and the last one took \(Figures.bytes(need))",
      hint: "df -h \(shellWord(directory))")
  }

  static func archiveChangedOnDisk(_ path: String) -> BackupError {
    BackupError(
      .io, "cannot trust the disk: \(path) did not read back as it was written",
      hint: "dmesg | tail")
  }

  private static func look(at directory: String, _ error: FileError) -> String {
    (error.isFull ? "df -h " : error.isDenied || error.isReadOnly ? "ls -ld " : "dmesg | tail # ")
      + shellWord(directory)
  }

  private static func look(at holder: String, _ directory: String) -> String {
    // "pid 123, raibid-backup create, since …"
    let processID = holder.split(separator: " ").dropFirst().first?.prefix { $0.isNumber } ?? ""
    guard holder.hasPrefix("pid "), !processID.isEmpty else {
      return "fuser -v \(shellWord(directory))/.raibid-backup.lock"
    }
    return "ps -f -p \(processID)"
  }

  private static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }
}
