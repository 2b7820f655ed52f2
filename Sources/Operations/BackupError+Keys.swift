import RedisClient
import Targets

// What keeps single keys from being restored, and how that can fail.

extension BackupError {
  static func tooManyKeysChosen(_ path: String, limit: Int) -> BackupError {
    BackupError(
      .usage, "cannot restore keys of \(path): more than \(limit) are chosen; nothing was changed",
      hint: .tool("restore \(shellWord(path)) --dry-run   # all of it"))
  }

  static func keysNotInBackup(
    _ keys: [[UInt8]], _ path: String, database: UInt64?
  ) -> BackupError {
    BackupError(
      .notFound,
      "cannot restore \(listed(keys)): not in \(path)\(inDatabase(database)); nothing was changed",
      hint: .archives("inspect \(shellWord(path)) --keys"))
  }

  static func noKeyMatches(_ path: String, database: UInt64?) -> BackupError {
    BackupError(
      .notFound,
      "cannot restore keys of \(path): none\(inDatabase(database)) matches; nothing was changed",
      hint: .archives("inspect \(shellWord(path)) --keys"))
  }

  static func keyTooLong(_ key: [UInt8]) -> BackupError {
    BackupError(
      .incompatible,
      "cannot restore key \(printable(key)): its name is longer than 64 KiB; nothing was changed",
      hint: .again("--dry-run   # with another --match"))
  }

  static func keyHasModuleData(_ key: [UInt8]) -> BackupError {
    BackupError(
      .incompatible,
      "cannot restore key \(printable(key)): a module has stored data beside its value, which RESTORE "
        + "does not take; nothing was changed", hint: .redis("MODULE LIST"))
  }

  static func valueTooLarge(_ byteCount: UInt64, limit: UInt64) -> BackupError {
    BackupError(
      .incompatible,
      "cannot restore the keys: a value has \(Figures.bytes(byteCount)), and the server takes "
        + "\(Figures.bytes(limit)) at once; nothing was changed",
      hint: .redis("CONFIG SET proto-max-bulk-len \(byteCount)"))
  }

  static func databaseMissing(_ index: UInt64, cause: String) -> BackupError {
    BackupError(
      .incompatible,
      "cannot restore keys of database \(index): the server has no such one; nothing was changed",
      cause: cause, hint: .redis("CONFIG GET databases"))
  }

  static func keysAreThere(_ keys: [[UInt8]]) -> BackupError {
    BackupError(
      .config,
      "cannot restore \(listed(keys.sorted { $0.lexicographicallyPrecedes($1) })): there already; "
        + "nothing was changed",
      hint: .again("--replace"))
  }

  static func allKeysHaveExpired(_ count: Int) -> BackupError {
    BackupError(
      .notFound,
      count == 1
        ? "cannot restore the key: it has expired since the backup; nothing was changed"
        : "cannot restore the keys: all \(count) have expired since the backup; nothing was changed",
      hint: .again("--ttl extend   # or drop"))
  }

  static func ageOfBackupUnknown(_ path: String) -> BackupError {
    BackupError(
      .config,
      "cannot extend expiry times: \(path) does not say when it was written; nothing was changed",
      hint: .again("--ttl drop   # or keep"))
  }

  static func restoreUnfinished(_ name: String) -> BackupError {
    BackupError(
      .config, "cannot restore keys: the restore of \(name) is unfinished; nothing was changed",
      hint: .tool("restore --resume # or --rollback"))
  }

  /// - Parameter doubt: Why its journal cannot be seen from here; nil where it can.
  static func restoreUnfinished(of place: String, _ doubt: RestoreObstacle?) -> BackupError {
    BackupError(
      .config,
      "cannot restore keys into \(place): its last restore never ended; nothing was changed",
      cause: doubt?.words,
      hint: .tool("restore --resume # or --rollback, on the server's own host"))
  }

  static func archiveChangedSincePlan(_ path: String) -> BackupError {
    BackupError(
      .damaged,
      "cannot restore keys of \(path): it was changed since it was proven; "
        + "nothing was changed on the server", hint: .again(""))
  }

  /// Why keys could not be written.
  init(
    writingKeys error: any Error, _ states: [KeyState], _ plan: RestoreKeysPlan,
    session: ServerSession
  ) {
    guard case RedisError.server(let reply) = error else {
      self.init(restoring: error, session: session)
      return
    }
    let index = states.firstIndex { $0 == .refused(reply) }
    let key = index.map { "key \(printable(plan.keys[$0].key))" } ?? "the keys"
    func refused(_ fact: String, _ kind: Kind, _ hint: NextCommand) -> BackupError {
      BackupError(kind, "cannot write \(key): \(fact)", cause: reply.message, hint: hint)
    }
    switch reply.code {
    case "BUSYKEY":
      self = refused("somebody has made it meanwhile", .config, plan.again)
    case "OOM":
      self = refused(
        "the server may take no more memory", .incompatible, .redis("CONFIG GET maxmemory"))
    case "READONLY": self = refused("it is read-only", .incompatible, .redis("INFO replication"))
    case "NOREPLICAS":
      self = refused(
        "the server refuses writes", .busy, .redis("CONFIG GET min-replicas-to-write"))
    case "MISCONF":
      self = refused("it cannot save its data", .unavailable, .redis("INFO persistence"))
    case "MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT":
      self = refused("it is a node of a cluster", .incompatible, .redis("INFO server"))
    case "ERR"
    where reply.message.contains("Bad data format") || reply.message.contains("DUMP payload"):
      self = refused("the server cannot load it", .incompatible, .redis("INFO server"))
    default: self.init(restoring: error, session: session)
    }
  }

  static func nothingWritten(_ inner: BackupError) -> BackupError {
    BackupError(
      inner.kind, "\(inner.message); nothing was changed", cause: inner.cause, hint: inner.next)
  }

  static func keysPartlyWritten(
    _ states: [KeyState], _ plan: RestoreKeysPlan, cause inner: BackupError?
  ) -> BackupError {
    let written = states.count { $0 == .written }
    let unknown = states.count { $0 == .unknown }
    let expired = states.count { $0 == .expired }
    let different = states.count { if case .differs = $0 { true } else { false } }
    let left = states.count - written - unknown - expired - different
    var facts = ["\(written) are written, \(left) are not"]
    if unknown > 0 { facts.append("of \(unknown) it is not known") }
    if different > 0 { facts.append("\(different) are not as in the backup") }
    return BackupError(
      .rollbackFailed,
      "cannot restore all of \(Figures.keys(states.count - expired)): "
        + facts.joined(separator: ", "),
      cause: inner?.factAndCause ?? "it was interrupted", hint: plan.again)
  }

  private static func listed(_ keys: [[UInt8]]) -> String {
    let shown = keys.prefix(3).map(printable).joined(separator: ", ")
    let more = keys.count > 3 ? " and \(keys.count - 3) more" : ""
    return (keys.count == 1 ? "key " : "keys ") + shown + more
  }

  private static func inDatabase(_ index: UInt64?) -> String {
    index.map { " in database \($0)" } ?? ""
  }
}

extension RestoreKeysPlan {
  /// The same once more, which has to replace what is there by then.
  fileprivate var again: NextCommand { .again(replaces ? "" : "--replace") }
}
