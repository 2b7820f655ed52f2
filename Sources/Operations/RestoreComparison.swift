import RDBFormat
import RedisClient

/// What a server holds after a restore, beside what it should.
public struct RestoreComparison: Codable, Sendable, Equatable {
  /// One database.
  public struct Database: Codable, Sendable, Equatable {
    /// Its number.
    public let index: UInt64
    /// How many keys the backup holds.
    public let expectedKeys: UInt64
    /// How many keys the server holds.
    public let foundKeys: UInt64

    enum CodingKeys: String, CodingKey {
      case index
      case expectedKeys = "expected_keys"
      case foundKeys = "found_keys"
    }
  }

  /// All databases that either side has.
  public internal(set) var databases: [Database] = []
  /// How many streams were compared with their groups, consumers and pending entries.
  public internal(set) var streamsCompared = 0
  /// How many streams the backup holds.
  public internal(set) var streamsTotal: UInt64 = 0
  /// How many keys were left out because their time has passed.
  public internal(set) var keysExpired: UInt64 = 0
  /// Whether somebody wrote before the comparison, so that more than the backup holds is no difference.
  public internal(set) var writesSeen = false
  /// Every difference, as a lower-case fact; empty when all is as it should be.
  public internal(set) var differences: [String] = []

  enum CodingKeys: String, CodingKey {
    case databases, differences
    case streamsCompared = "streams_compared"
    case streamsTotal = "streams_total"
    case keysExpired = "keys_expired"
    case writesSeen = "writes_seen"
  }
}

/// Compares the data of a server with the facts of a dump that it has loaded.
///
/// Keys may have expired since the dump was written; nothing else may be missing. More than the dump
/// holds is a difference only as long as nobody has written.
struct DataComparison: Sendable {
  let expected: RDBSummary
  /// Whether others could write before, though nothing on the server may tell it any more.
  var othersWrote = false

  /// - Throws: `RedisError`; differences are part of the result.
  func run(on connection: ServerConnection) async throws -> RestoreComparison {
    let status = try await connection.status()
    var comparison = compareCounts(status)
    comparison.streamsTotal = expected.content.streamsTotal
    try await compareStreams(on: connection, &comparison)
    if let found = try await connection.redis.functionLibraryCount(
      timeout: connection.replyTimeout)
    {
      let tooFew = UInt64(found) < expected.content.functions
      if tooFew || (UInt64(found) > expected.content.functions && !comparison.writesSeen) {
        comparison.differences.append(
          "\(found) function libraries instead of \(expected.content.functions)")
      }
    }
    return comparison
  }

  /// Compares the number of keys, as INFO tells it.
  func compareCounts(_ status: ServerStatus) -> RestoreComparison {
    var comparison = RestoreComparison()
    // Loading a file counts no change, so that any that is counted was made by somebody.
    // A save sets the count back.
    comparison.writesSeen =
      othersWrote || (status.rdbChangesSinceLastSave ?? 0) > 0 || (status.rdbSaves ?? 0) > 0
    var found: [UInt64: DatabaseKeyspace] = [:]
    for database in status.keyspace { found[UInt64(database.index)] = database }
    var unaccounted: UInt64 = 0
    for database in expected.content.databases {
      let there = found.removeValue(forKey: database.index)
      unaccounted += compare(database, there, &comparison)
    }
    for extra in found.values.sorted(by: { $0.index < $1.index }) {
      comparison.databases.append(
        RestoreComparison.Database(
          index: UInt64(extra.index), expectedKeys: 0, foundKeys: UInt64(clamping: extra.keys)))
      if !comparison.writesSeen {
        comparison.differences.append(
          "database \(extra.index) has \(extra.keys) keys instead of none")
      }
    }
    comparison.databases.sort { $0.index < $1.index }
    comparison.keysExpired = unaccounted
    compareExpired(status, unaccounted, &comparison)
    compareLoaded(status, &comparison)
    if status.role == .replica {
      comparison.differences.append(
        "the server is a replica, whose data goes when its master's comes")
    }
    return comparison
  }

  /// - Returns: How many keys with an expiry time are not there.
  private func compare(
    _ database: DatabaseSummary, _ there: DatabaseKeyspace?, _ comparison: inout RestoreComparison
  ) -> UInt64 {
    let foundKeys = UInt64(clamping: there?.keys ?? 0)
    let foundExpires = UInt64(clamping: there?.expires ?? 0)
    comparison.databases.append(
      RestoreComparison.Database(
        index: database.index, expectedKeys: database.keys, foundKeys: foundKeys))
    let lasting = database.keys - database.expires
    let foundLasting = foundKeys - min(foundExpires, foundKeys)
    let tooMany = foundLasting > lasting || foundExpires > database.expires
    // A hash goes when the last of its fields has expired, without having an expiry time itself.
    let tooFew = foundLasting + database.fieldExpiringHashes < lasting
    if tooFew || (tooMany && !comparison.writesSeen) {
      comparison.differences.append(
        "database \(database.index) has \(foundKeys) keys (\(foundExpires) with an expiry time) "
          + "instead of \(database.keys) (\(database.expires))")
    }
    return database.expires - min(database.expires, foundExpires)
  }

  private func compareExpired(
    _ status: ServerStatus, _ unaccounted: UInt64, _ comparison: inout RestoreComparison
  ) {
    if let evicted = status.evictedKeys, evicted > 0 {
      comparison.differences.append(
        "the server has evicted \(evicted) keys since its start: its maxmemory is too small for this data"
      )
    }
    // 6.2 does not count the keys that had expired before it loaded them.
    guard let atLoad = status.rdbLastLoadKeysExpired, let since = status.expiredKeys else { return }
    if unaccounted > UInt64(clamping: atLoad) + UInt64(clamping: since), !comparison.writesSeen {
      comparison.differences.append(
        "\(unaccounted) keys with an expiry time are missing, but only \(atLoad + since) have expired"
      )
    }
  }

  /// The number of keys that the server loaded at its start tells whether it loaded this dump at all,
  /// whatever was written since.
  private func compareLoaded(_ status: ServerStatus, _ comparison: inout RestoreComparison) {
    guard let loaded = status.rdbLastLoadKeysLoaded, let expired = status.rdbLastLoadKeysExpired
    else { return }
    let total = UInt64(clamping: loaded) + UInt64(clamping: expired)
    let hashes = expected.content.databases.map(\.fieldExpiringHashes).reduce(0, +)
    if total > expected.content.keys || total + hashes < expected.content.keys {
      comparison.differences.append(
        "the server loaded \(total) keys at its start instead of \(expected.content.keys)")
    }
  }

  private func compareStreams(
    on connection: ServerConnection, _ comparison: inout RestoreComparison
  ) async throws {
    var selected: UInt64?
    // By the clock of the server, which is what makes a stream expire.
    var now = Duration.zero
    for stream in expected.content.streams {
      try Task.checkCancellation()
      if selected != stream.database {
        try await connection.redis.select(
          database: Int(stream.database), timeout: connection.replyTimeout)
        selected = stream.database
      }
      let found = try await connection.redis.streamState(
        key: stream.key, timeout: connection.replyTimeout)
      comparison.streamsCompared += 1
      guard let found else {
        if let expiry = stream.expiresAt.map({ Duration.milliseconds($0) }) {
          if expiry > now { now = try await connection.status().serverTime ?? now }
          if expiry <= now { continue }
        }
        comparison.differences.append("stream \(printable(stream.key)) is missing")
        continue
      }
      for difference in StreamComparison(expected: stream, found: found).differences(
        writesSeen: comparison.writesSeen)
      {
        comparison.differences.append("stream \(printable(stream.key)): \(difference)")
      }
    }
  }
}
