import ArchiveStore
import RDBFormat
import RedisClient
import Targets

// What a restore of single keys asks of the server before it writes.

extension RestoreKeys {
  private static let batchCount = 256
  /// Redis takes an argument of that size whatever its settings say.
  private static let smallArgumentByteCount: UInt64 = 1 << 20

  /// Refuses what cannot go well, with nothing touched.
  func refuse(
    _ status: ServerStatus, _ backup: Backup, on connection: ServerConnection
  ) async throws {
    try await refuseUnfinished(status, on: connection)
    if status.loading == true { throw BackupError.serverIsLoading(status.loadingLoadedPercent) }
    if let mode = status.mode, mode != .standalone { throw RestoreRefusal.mode(mode.rawValue) }
    if let role = status.role, role != .master {
      throw RestoreRefusal.notAMaster(role: role.rawValue)
    }
    let summary = backup.candidate.summary
    if !options.fromOtherSource {
      try backup.candidate.requireSource(session.target.source.identity)
    }
    guard LoadableVersions(of: status).include(summary) else {
      throw RestoreRefusal.versionTooNew(
        dump: "\(summary.format.rawValue) RDB version \(summary.version)",
        server: status.productAndVersion)
    }
    try await refuseModules(status, backup, on: connection)
    let largest = DumpPayload.byteCount(
      valueByteCount: backup.chosen.map(\.value.byteCount).max() ?? 0)
    guard largest > Self.smallArgumentByteCount else { return }
    let limit = try await connection.configuration("proto-max-bulk-len")["proto-max-bulk-len"]
      .flatMap { UInt64($0) }
    if let limit, largest > limit { throw BackupError.valueTooLarge(largest, limit: limit) }
  }

  /// The log is on this host; the journal, which takes more rights to read, decides, where it is surely that
  /// of this server. Where the log knows of none, one that was begun from another place is looked for as far as
  /// the rights go.
  private func refuseUnfinished(
    _ status: ServerStatus, on connection: ServerConnection
  ) async throws {
    let source = session.target.source
    let isKnown = try RestoreLog(self.directory).isUnfinished(of: source)
    let journal: RestoreJournal?
    do {
      guard let directory = try await connection.configuration("dir")["dir"] else { return }
      let doubt = session.target.control.doubt(
        aboutFilesOf: connection.trace(status, directory: directory))
      guard doubt == nil else {
        if isKnown { throw BackupError.restoreUnfinished(of: source.identity, doubt) }
        return
      }
      journal = try await RestoreJournal.read(in: directory, of: session.target.volume)
    } catch  where !isKnown && (error is TargetError || error.isRefusal) {
      return
    }
    guard let journal else { return }
    throw BackupError.restoreUnfinished(journal.archive.name)
  }

  private func refuseModules(
    _ status: ServerStatus, _ backup: Backup, on connection: ServerConnection
  ) async throws {
    if let key = backup.chosen.first(where: \.value.hasMetadata) {
      throw BackupError.keyHasModuleData(key.key)
    }
    guard backup.chosen.contains(where: { $0.type == .module }) else { return }
    let modules = try await connection.moduleNames()
    let missing = backup.candidate.summary.moduleNames.filter {
      !ModuleTypes.isLoadable($0, by: status, modules: modules)
    }
    guard missing.isEmpty else { throw RestoreRefusal.modulesMissing(missing) }
  }

  /// Which keys the server has.
  func present(
    _ keys: [(database: UInt64, key: [UInt8])], on connection: ServerConnection
  ) async throws -> [Bool] {
    var present: [Bool] = []
    var rest = keys[...]
    while let first = rest.first {
      do {
        try await connection.redis.select(
          database: Int(clamping: first.database), timeout: connection.replyTimeout)
      } catch RedisError.server(let error) where error.code == "ERR" {
        throw BackupError.databaseMissing(first.database, cause: error.message)
      }
      let batch = rest.prefix { $0.database == first.database }.prefix(Self.batchCount)
      let replies = try await connection.redis.pipeline(
        batch.map { RESPCommand([Array("EXISTS".utf8), $0.key]) },
        timeout: connection.replyTimeout)
      for reply in replies {
        if case .error(let error) = reply { throw RedisError.server(error) }
        guard let count = reply.integer else {
          throw RedisError.unexpectedReply(command: "EXISTS")
        }
        present.append(count > 0)
      }
      rest = rest.dropFirst(batch.count)
    }
    return present
  }
}

extension Error {
  /// Whether a server has answered with an error.
  fileprivate var isRefusal: Bool {
    if case .server? = self as? RedisError { true } else { false }
  }
}
