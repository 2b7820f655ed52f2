/// One thing that a restore does, or undoes; a value, so that a plan can be shown, stored and run.
public enum RestoreStep: String, Codable, Sendable, CaseIterable {
  /// Write the journal that lets any later run finish or undo this one.
  case beginJournal = "begin_journal"
  /// Write the backup beside the old files.
  case stageBackup = "stage_backup"
  /// Compare its digest where it lies now.
  case compareDigest = "compare_digest"
  /// Have every write refused.
  case refuseWrites = "refuse_writes"
  /// Take a backup of the present data.
  case takeSafetyBackup = "take_safety_backup"
  /// Have the server write its present data to its own dump.
  case saveOldData = "save_old_data"
  /// Have the server leave its files alone.
  case stopPersisting = "stop_persisting"
  /// Give the old files second names.
  case keepOldFiles = "keep_old_files"
  /// Rename the backup into its place: the commit point.
  case swap
  /// Rename the backup into its place while no server runs.
  case swapFiles = "swap_files"
  /// Look once more that it is in its place.
  case confirmSwap = "confirm_swap"
  /// Stop the server and start it again.
  case restart
  /// Have the new server refuse writes from its first answer on, and wait until it has loaded.
  case awaitServer = "await_server"
  /// Compare what is served with the backup.
  case compareData = "compare_data"
  /// Let writes in again.
  case acceptWrites = "accept_writes"
  /// Remove the old files.
  case removeOldFiles = "remove_old_files"
  /// Remove the names of the old files among the new ones, where the old files stay under second names.
  case removeOldNames = "remove_old_names"
  /// Put back the old files that this server does not read, where the backup was put in the place of all.
  case dropUnusedFiles = "drop_unused_files"
  /// Remove the journal.
  case endJournal = "end_journal"

  /// Keep a server that does not run from being started, and reach its files.
  case holdServer = "hold_server"
  /// Start it again, with the files that are there.
  case startServer = "start_server"
  /// Let it be started again, as before.
  case releaseServer = "release_server"

  /// Have the server write its files again.
  case resumePersisting = "resume_persisting"
  /// Put the old files back into their place.
  case putOldFilesBack = "put_old_files_back"
  /// Compare what is served with the data before the restore.
  case compareOldData = "compare_old_data"
  /// Remove the second names of the old files.
  case removeKeptNames = "remove_kept_names"
  /// Remove what was staged.
  case removeStagedFiles = "remove_staged_files"
}
