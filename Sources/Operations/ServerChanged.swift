import RedisClient

/// A server that is not the one any more that it was: a dump of it may be of other data.
struct ServerChanged: Error, Sendable, Equatable {
  /// "it was started again".
  let fact: String
}

extension ServerStatus {
  /// Makes sure that this is the server that had an earlier status: the same process in the same part of
  /// the same replication.
  ///
  /// - Throws: ``ServerChanged``.
  func requireSame(as earlier: ServerStatus) throws(ServerChanged) {
    if runID != earlier.runID { throw ServerChanged(fact: "it was started again meanwhile") }
    if role != earlier.role {
      throw ServerChanged(fact: "it was \(earlier.roleWords), and is \(roleWords) now")
    }
    if masterLinkStatus != earlier.masterLinkStatus {
      throw ServerChanged(fact: "its link to the primary is \(masterLinkStatus ?? "gone") now")
    }
    // A server that gets its first replica, or loses its last, names its history anew, and has no second.
    let isNamedAnew = role == .master && secondReplicationID == nil
    if replicationID != earlier.replicationID, !isNamedAnew {
      throw ServerChanged(fact: "it follows another history of writes now")
    }
  }

  /// Its part in replication, in words.
  var roleWords: String {
    switch role {
    case .master: "the primary"
    case .replica: "a replica"
    case nil: "without a role"
    }
  }
}

extension CreateBackup {
  /// Makes sure that a server that was looked at before is still the same.
  ///
  /// - Throws: ``ServerChanged``, and what looking at it throws.
  func requireSame(as earlier: ServerStatus, on connection: ServerConnection) async throws {
    try await presentStatus(on: connection).requireSame(as: earlier)
  }

  /// The same once all bytes are here, where a server answers.
  ///
  /// One that is gone takes nothing from a dump that is whole: what it was when it had made the dump was
  /// seen then, and this may be the last one of its data.
  /// - Throws: ``ServerChanged``, among others.
  func confirm(_ earlier: ServerStatus, on connection: ServerConnection) async throws {
    do {
      try await requireSame(as: earlier, on: connection)
    } catch  where error.isUnreachable {
      report(.warning(Sentences.serverGone(BackupError(creating: error, session: session))))
    }
  }

  private func presentStatus(on connection: ServerConnection) async throws -> ServerStatus {
    do {
      return try await connection.status()
    } catch  where error.isUnreachable {
      // Closed, as servers with a `timeout` do with whoever is silent: another one tells as well.
      return try await session.withConnection { try await $0.status() }
    }
  }
}
