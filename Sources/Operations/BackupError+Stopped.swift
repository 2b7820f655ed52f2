// What is said of restores by the files of a server that does not run.

extension BackupError {
  static func serverStartedAmidst(_ server: String) -> BackupError {
    BackupError(
      .config,
      "cannot go on: \(server) was started while its files were exchanged, and whether it has read the old "
        + "ones or the backup's cannot be told",
      hint: .tool("restore --resume # if it serves the backup's data; --rollback if the old"))
  }

  static func readsOtherFiles(_ path: String, insteadOf others: String) -> BackupError {
    BackupError(
      .config, "cannot restore by the files: the server reads \(path), not \(others)",
      hint: .redis("CONFIG GET *dir*   # also dbfilename, appendonly, appendfilename"))
  }

  static func writtenSinceSwap(_ path: String) -> BackupError {
    BackupError(
      .config,
      "cannot undo the restore: a server has written \(path) since the backup was put there; nothing was changed",
      hint: .tool("restore --resume # keeps what is there; --rollback loses it"))
  }

  static func serverDown(_ error: BackupError) -> BackupError {
    BackupError(
      error.kind, error.message, cause: error.cause,
      hint: .again("--data-dir DIR   # to restore by the files of a server that does not run"))
  }

  static func otherDataDirectory(_ given: String, server: String) -> BackupError {
    BackupError(
      .config,
      "cannot restore: the server that answers works in \(server), not in \(given); nothing was changed",
      hint: .redis("CONFIG GET dir"))
  }
}
