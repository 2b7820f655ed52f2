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
        hint: "date -u")
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
