import ArchiveStore

// What keeps archives from being removed, and from being looked after.

extension BackupError {
  /// A policy that refuses.
  init(pruning directory: String, _ refusal: RetentionRefusal) {
    switch refusal {
    case .emptyPolicy:
      self = .emptyPolicy()
    case .datedInTheFuture(let name):
      self.init(
        .config, "cannot prune \(directory): \(name) is dated in the future; nothing was removed",
        cause: "this host's clock is wrong, or was when that archive was made",
        hint: "date -u   # if this is right, that archive belongs into another directory")
    case .clockJumped(let name):
      self.init(
        .config,
        "cannot prune \(directory): the date of \(name) is more than a day from the server's; "
          + "nothing was removed",
        cause: "this host's clock or the server's was wrong when that archive was made",
        hint: "date -u")
    }
  }

  /// A policy that keeps nothing.
  public static func emptyPolicy() -> BackupError {
    BackupError(
      .usage, "cannot prune: nothing says what is to be kept",
      hint: .again("--keep-daily 14 --keep-weekly 8 --keep-monthly 12"))
  }

  /// A directory that is not there.
  static func cannotPrune(missing directory: String) -> BackupError {
    BackupError(
      .notFound, "cannot prune \(directory): there is no such directory",
      hint: .shell("ls -ld \(shellWord(directory))"))
  }

  /// A directory without archives of the Redis that was named.
  static func cannotPrune(_ directory: String, holdingNoneOf source: String) -> BackupError {
    BackupError(
      .notFound, "cannot prune \(directory): it holds no archive of \(source)",
      hint: .shell("raibid-backup list --directory \(shellWord(directory))"))
  }

  /// An archive that lies in another directory.
  public static func cannotPinElsewhere(_ path: String) -> BackupError {
    BackupError(
      .usage, "cannot pin \(path): it is not in the directory of the archives",
      hint: .archives("list"))
  }

  /// A manifest that cannot say that its archive is pinned.
  public static func cannotPin(_ archive: ArchiveEntry) -> BackupError {
    archive.document == nil
      ? BackupError(
        .config, "cannot pin \(archive.path): it has no manifest",
        hint: .archives("verify \(shellWord(archive.path))"))
      : BackupError(
        .config, "cannot pin \(archive.path): a newer version of this tool wrote its manifest",
        hint: "raibid-backup --version   # is there a newer one?")
  }
}
