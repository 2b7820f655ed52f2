import RedisClient

extension ServerStatus {
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
