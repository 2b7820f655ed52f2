import RedisClient

extension ServerStatus {
  /// How much of the running save is done, from 0 to 1; nil where none runs or the server does not tell.
  var savedShare: Double? {
    guard let done = currentSaveKeysProcessed, let total = currentSaveKeysTotal, total > 0,
      rdbSaveInProgress == true
    else { return nil }
    return Double(done) / Double(total)
  }

  /// Whether the server has got on with saving, rewriting or loading, or has begun something else.
  func hasMoved(since earlier: ServerStatus) -> Bool {
    rdbSaveInProgress != earlier.rdbSaveInProgress
      || aofRewriteInProgress != earlier.aofRewriteInProgress
      || rdbSaves != earlier.rdbSaves
      || currentSaveKeysProcessed != earlier.currentSaveKeysProcessed
      || currentCopyOnWriteByteCount != earlier.currentCopyOnWriteByteCount
      || loading != earlier.loading
      || loadingLoadedBytes != earlier.loadingLoadedBytes
  }
}
