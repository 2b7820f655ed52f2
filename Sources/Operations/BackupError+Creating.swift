import ArchiveStore
import Files
import RDBFormat
import RedisClient
import Targets

// What keeps a backup from being made, and how it is made.

extension Sentences {
  /// - Parameter name: The way of files that was taken.
  static func transport(_ name: String) -> String {
    switch name {
    case "cp": "the dump will be copied with kubectl cp"
    case "exec": "the dump will be copied with kubectl exec"
    default: "the dump will be read from its file"
    }
  }

  static func chosenReplication() -> String {
    "the dump will come over the replication stream"
  }

  /// - Parameter reason: Why its file is not read; nil where it cannot be.
  static func replication(because reason: String?) -> String {
    chosenReplication() + (reason.map { ": \($0)" } ?? ", since \(fileUnreadable())")
  }

  static func fileUnreadable() -> String { "its file cannot be read" }
}

extension Sentences {
  /// - Parameter count: How many replicas get the dump that goes to us.
  static func dumpShared(_ count: Int) -> String {
    "\(count == 1 ? "a replica takes" : "\(count) replicas take") the same dump of the server, "
      + "no faster than it is read here"
  }

  static func serverGone(_ error: BackupError) -> String {
    "\(error.message), now that its dump is here whole: the archive is of the moment of that dump"
  }

  static func replicaIsLost(_ source: String) -> String {
    "\(source) is a replica without a link to its primary: its data may be old"
  }

  static func restoreUnseen(_ reply: RedisServerError) -> String {
    "whether a restore is unfinished cannot be seen: \(reply.message)"
  }
}

extension BackupError {
  static func backupOfUnfinishedRestore(_ name: String) -> BackupError {
    eitherDataServed("cannot back up: the restore of \(name) is unfinished")
  }

  static func backupOfUnfinishedRestore(of source: String) -> BackupError {
    eitherDataServed("cannot back up \(source): its last restore never ended")
  }

  private static func eitherDataServed(_ fact: String) -> BackupError {
    BackupError(
      .config, "\(fact), and what is served may be either data",
      hint: .tool("restore --resume # or --rollback; create --force backs up what is served"))
  }

  static func saveNeedsFiles(because reason: String?) -> BackupError {
    BackupError(
      .incompatible,
      "cannot save with SAVE: what it writes cannot be read from here, and a replica gets a BGSAVE",
      cause: reason, hint: .again("--save bgsave"))
  }

  /// A user who may save may not be one who gets a dump as a replica does.
  ///
  /// - Parameter reason: Why the dump was to come so.
  static func replicationDenied(
    _ reply: RedisServerError, because reason: String, _ session: ServerSession
  ) -> BackupError {
    let user = session.credentials?.username ?? "default"
    return BackupError(
      .denied,
      "cannot get a dump of \(session.target.source.identity) over the replication stream: "
        + "user \(user) lacks a right",
      cause: "\(reply.message); \(reason)",
      hint: .redisAsAdmin("ACL SETUSER \(shellWord(user)) +replconf +sync"))
  }

  static func sentinelHasNoData(_ source: String) -> BackupError {
    BackupError(
      .incompatible, "cannot back up \(source): it is a Sentinel, which holds no data",
      hint: .redis("SENTINEL MASTERS   # the host and port of the server itself"))
  }

  static func roleChanged(_ place: String, from: String, to: String) -> BackupError {
    BackupError(
      .unavailable,
      "cannot back up \(place): it was \(from) when this run began, and is \(to) now",
      hint: .redis("INFO replication"))
  }

  static func dataLostMeanwhile(_ place: String, before: UInt64, now: UInt64) -> BackupError {
    BackupError(
      .unavailable,
      "cannot back up \(place): it held \(Figures.keys(Int(clamping: before))) when this run began, and after "
        + "a restart it holds \(now)", hint: .again("--force   # if it is meant to be so"))
  }

  static func severalServers() -> BackupError {
    BackupError(
      .unavailable, "cannot back up: two connections led to two servers",
      hint: .redis("INFO server"))
  }

  /// What is said of a failure after which a backup is made once more.
  func tryingAgain(in pause: Duration) -> String {
    "\(message)\(cause.map { " (\($0))" } ?? ""); trying again in \(Figures.limit(pause))"
  }

  static func serverIsLoading(_ percent: Double?) -> BackupError {
    let share = percent.map { " (\(Int($0)) % done)" } ?? ""
    return BackupError(
      .busy, "cannot use the server: it is loading its data\(share)",
      hint: .redis("INFO persistence"))
  }

  static func memoryLimitTooLow(limit: UInt64, need: UInt64) -> BackupError {
    BackupError(
      .unavailable,
      "cannot save: saving may need \(Figures.bytes(need)) of memory, the pod's limit is "
        + "\(Figures.bytes(limit)), and the server could be killed", hint: .again("--force"))
  }

  static func dumpPlaceUnknown() -> BackupError {
    BackupError(
      .denied, "cannot find the dump: the server does not tell its directory",
      hint: .redis("CONFIG GET dir"))
  }

  static func settingUnknown(_ name: String) -> BackupError {
    BackupError(
      .denied, "cannot plan: the server does not tell its setting \(name)",
      hint: .redis("CONFIG GET \(name)"))
  }

  static func dumpNotOurs(began: String?, asked: Int64) -> BackupError {
    BackupError(
      .unavailable,
      "cannot trust the dump: the server says that it began at "
        + "\(began == nil ? "an unknown time" : Sentences.time(began)), before this run asked for one at "
        + Sentences.time("\(asked)"), hint: .again(""))
  }

  /// What kept a backup from being made.
  init(creating error: any Error, session: ServerSession) {
    switch error {
    case let rdb as RDBError:
      self.init(
        .damaged, "cannot trust the dump: it is not whole", cause: rdb.description,
        hint: .again(""))
    case RedisError.server(let reply) where reply.isUnknown(command: "CONFIG"):
      self.init(
        .incompatible,
        "cannot find the dump: the server has no CONFIG that would tell its directory",
        cause: reply.message, hint: .again("--via replication"))
    case SaveFailure.refused(let text) where RedisServerError(text).isUnknown(command: "BGSAVE"):
      self.init(
        .incompatible, "cannot save on the server: it has no BGSAVE", cause: text,
        hint: .again("--via replication"))
    case TargetError.toolMissingInContainer(let name, let container):
      self.init(
        .incompatible, "cannot read the dump: container \(container) has no \(name)",
        hint: .again("--via replication"))
    case TargetError.notReplaced(let path), TargetError.replacedOften(let path):
      self.init(
        .unavailable, "cannot trust \(path): it may not be the dump of this server",
        cause: "\(error)", hint: .again("--via replication"))
    case TargetError.fileNotFound(let path) where session.target.source.namespace == nil:
      self.init(
        .unavailable, "cannot find \(path): there is no such file on this host",
        hint: .again("--via replication   # if the server runs elsewhere"))
    default: self.init(any: error, session: session, verb: "back up")
    }
  }

  /// Any error of the layers below.
  init(any error: any Error, session: ServerSession?, verb: String) {
    let place = session.map { $0.target.source.identity } ?? "the server"
    switch error {
    case let error as BackupError: self = error
    case let error as DirectoryError: self.init(error)
    case let error as FileError: self.init(error)
    case let error as RedisError: self.init(error, at: place, session: session)
    case let error as TargetError: self.init(error)
    case let error as SaveFailure: self.init(error)
    case let error as ServerIsLoading: self = .serverIsLoading(error.percent)
    case let error as PrimaryUnclear: self.init(error)
    case let error as ServerChanged:
      self.init(.unavailable, "cannot \(verb) \(place): \(error.fact)", hint: .again(""))
    case is ServerReplaced: self = .serverRestartedByOthers()
    case let error as DataDiffers:
      self.init(
        .damaged, "cannot \(verb) \(place): what is served is not what was restored",
        cause: error.differences.prefix(5).joined(separator: "; "),
        hint: .redis("INFO keyspace"))
    default: self = .unexpected(error)
    }
    if session?.target.source.chosenBy != nil { pod = session?.target.source.pod }
  }

  private init(_ failure: SaveFailure) {
    switch failure {
    case .refused(let text):
      // SAVE that cannot write answers with the bare code.
      let reason = text == "ERR" ? "it could not write its dump, and its log says why" : text
      self.init(
        .unavailable, "cannot save on the server: it refuses", cause: reason,
        hint: .redis("CONFIG GET dir   # is it writable, is there space?"))
    case .childFailed:
      self.init(
        .unavailable, "cannot save on the server: it could not write its dump",
        cause: "rdb_last_bgsave_status:err; the server's log has the reason",
        hint: .redis("CONFIG GET dir   # is it writable, is there space?"))
    case .childForReplicaFailed:
      self.init(
        .unavailable, "cannot get a dump for a replica: the server could not write it",
        cause: "rdb_last_bgsave_status:err; the server's log has the reason",
        hint: .redisAsAdmin("CONFIG SET repl-diskless-sync yes   # then it needs no disk for that"))
    case .stalled(let limit):
      self.init(
        .unavailable,
        "cannot save on the server: nothing has moved for \(Figures.limit(limit))",
        hint: .redis("INFO persistence"))
    }
  }
}

extension RedisServerError {
  /// Whether the server does not have a command, as after `rename-command` in its configuration.
  fileprivate func isUnknown(command: String) -> Bool {
    message.hasPrefix("ERR unknown command") && message.contains(command)
  }
}
