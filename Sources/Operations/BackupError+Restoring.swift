import RedisClient
import Targets

// What keeps a restore from beginning, and how one can fail.

extension BackupError {
  /// What kept a restore from beginning.
  init(restoring error: any Error, session: ServerSession) {
    self.init(any: error, session: session, verb: "restore")
  }

  static func noUnfinishedRestore() -> BackupError {
    BackupError(
      .notFound, "cannot take up a restore: the server has no unfinished one",
      hint: .tool("restore latest --dry-run"))
  }

  static func serverLeftStopped(_ place: String) -> BackupError {
    BackupError(
      .unavailable,
      "cannot reach \(place): its last restore never ended and may have left it stopped",
      hint: .tool("restore --resume # or --rollback; both start it"))
  }

  static func otherRestoreUnfinished(_ name: String, given: String) -> BackupError {
    BackupError(
      .config, "cannot restore \(given): the restore of \(name) is unfinished",
      hint: .tool("restore --resume # or --rollback"))
  }

  static func otherRestoreBegan(_ path: String) -> BackupError {
    BackupError(
      .busy, "cannot begin: another restore of this server has begun; nothing was changed",
      cause: "its journal is \(path)", hint: .tool("restore --resume # or --rollback"))
  }

  static func serverChangedSincePlan() -> BackupError {
    BackupError(
      .busy,
      "cannot begin: the server was restarted or set otherwise since the plan; nothing was changed",
      hint: .tool("restore latest --dry-run"))
  }

  static func serverRestartedByOthers() -> BackupError {
    BackupError(
      .busy, "cannot go on: somebody else restarted the server", hint: .redis("INFO server"))
  }

  static func serverCameUp() -> BackupError {
    BackupError(
      .busy, "cannot begin: the server answers by now; nothing was changed",
      hint: .again(""))
  }

  static func fileInTheWay(_ path: String) -> BackupError {
    BackupError(
      .cannotCreate,
      "cannot begin: \(path) is there already and not of this restore; nothing was changed",
      hint: .onServer("ls -ld \(shellWord(path))"))
  }

  static func journalUnreadable(_ path: String, cause: String) -> BackupError {
    BackupError(
      .config, "cannot take up the unfinished restore: its journal \(path) cannot be read",
      cause: cause, hint: .onServer("cat \(shellWord(path))"))
  }

  static func appendManifestUnreadable(_ path: String) -> BackupError {
    BackupError(
      .incompatible, "cannot plan: \(path) is not a manifest that this tool understands",
      hint: .onServer("cat \(shellWord(path))"))
  }

  static func stagedBackupDiffers(_ path: String) -> BackupError {
    BackupError(
      .io, "cannot trust the volume: \(path) is not what was written", hint: .onServer("df -h"))
  }

  static func appendOnlyNotResumed() -> BackupError {
    BackupError(
      .unavailable, "cannot turn the append-only file on again: its rewrite failed",
      cause: "aof_last_bgrewrite_status:err; the server's log has the reason",
      hint: .redis("CONFIG SET appendonly yes"))
  }

  static func appendOnlyTurnedOnAgain() -> BackupError {
    BackupError(
      .busy, "cannot go on: somebody else turned the append-only file on again",
      hint: .redis("CLIENT LIST"))
  }

  static func swapUndoneByOthers(_ path: String) -> BackupError {
    BackupError(
      .busy, "cannot go on: somebody else's save or rewrite replaced \(path)",
      hint: .redis("CLIENT LIST"))
  }

  /// - Parameter isByFiles: Whether the server did not run before either.
  static func restoreFailed(
    cause: any Error, isByFiles: Bool, session: ServerSession
  ) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "restore")
    return BackupError(
      .restoreFailed,
      "cannot restore \(session.target.source.identity): "
        + (isByFiles
          ? "its old files are back, and it does not run, as before"
          : "the old data is served again"),
      cause: inner.factAndCause,
      hint: inner.next)
  }

  static func restoredDataHasChanged(_ differences: [String]) -> BackupError {
    BackupError(
      .config,
      "cannot finish the restore: the server has let writes in since, and what it serves is not what "
        + "was restored; nothing was changed",
      cause: differences.joined(separator: "; "),
      hint: .tool("restore --resume # keeps what is served; --rollback loses it"))
  }

  static func restoredServerLost(cause: any Error, session: ServerSession) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "finish the restore of")
    return BackupError(
      .unavailable,
      "cannot finish the restore: the server was started again by somebody else, may have let writes in, "
        + "and does not answer; the backup is in place",
      cause: inner.factAndCause,
      hint: .tool("restore --resume # keeps what is served; --rollback loses it"))
  }

  /// - Parameter refusal: Why the server may refuse writes still; nil where it does not.
  static func restoreLeft(
    cause: any Error, refusing refusal: (any Error)? = nil, session: ServerSession
  ) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "finish the restore of")
    let second = refusal.map {
      "writes may be refused still: "
        + BackupError(any: $0, session: session, verb: "let writes in on").message
    }
    return BackupError(
      inner.kind,
      "cannot finish the restore: the server may have let writes in since it was started with the "
        + "backup; nothing was taken back",
      cause: [inner.factAndCause, second].compactMap(\.self).joined(separator: ": "),
      hint: .tool("restore --resume"))
  }

  static func restoreNotEnded(
    cause: any Error, first: any Error, session: ServerSession
  ) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "end the restore of")
    let because = BackupError(any: first, session: session, verb: "end the restore of").message
    return BackupError(
      inner.kind,
      "cannot end the restore of \(session.target.source.identity): the backup's data is served, "
        + "but writes may be refused and old files left",
      cause: [because == inner.message ? nil : because, inner.message, inner.cause]
        .compactMap(\.self).joined(separator: "; "),
      hint: .tool("restore --resume"))
  }

  static func rollbackFailed(
    cause: any Error, first: (any Error)?, journal: RestoreJournal, turningPoint: RestorePhase?,
    session: ServerSession
  ) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "go back on")
    let because = first.map { BackupError(any: $0, session: session, verb: "restore").message }
    let fact =
      switch turningPoint ?? journal.phase {
      case _ where journal.isByFiles:
        "cannot put the old files back: nothing of them is lost, and the server must not be started before "
          + "that is done"
      // Before the swap the server has never had other data; only its settings may not be as they were.
      case ..<RestorePhase.swapped:
        "cannot undo the restore: the server has its old data, but may refuse writes still"
      // The process from before the swap serves what it has in memory.
      case .swapped:
        "cannot undo the restore: the server serves its old data, but may refuse writes still, and must "
          + "not be restarted before it is undone"
      default:
        "cannot bring the old data back: it lies in \(journal.files.kept), and nothing of it is lost"
      }
    return BackupError(
      .rollbackFailed, fact,
      cause: [because, inner.message, inner.cause].compactMap(\.self).joined(separator: "; "),
      hint: .tool("restore --rollback"))
  }

  init(refusing refusal: RestoreRefusal, session: ServerSession) {
    let place = session.target.source.identity
    func refused(
      _ fact: String, hint: NextCommand, kind: Kind = .incompatible
    ) -> BackupError {
      BackupError(kind, "cannot restore \(place): \(fact); nothing was changed", hint: hint)
    }
    let rewrite = NextCommand.redis("CONFIG REWRITE   # or correct the configuration file")
    switch refusal {
    case .notAMaster(let role):
      self = refused("it is not a master but a \(role)", hint: .redis("INFO replication"))
    case .replicasConnected(let count):
      self = refused(
        count == 1
          ? "a replica is connected, and could take over with the old data"
          : "\(count) replicas are connected, and one could take over with the old data",
        hint: .redis("INFO replication"))
    case .mode(let mode):
      self = refused("it runs in \(mode) mode", hint: .redis("INFO server"))
    case .versionTooNew(let dump, let server):
      self = refused("\(server) cannot load \(dump)", hint: .redis("INFO server"))
    case .modulesMissing(let names):
      self = refused(
        "it lacks the modules for \(names.joined(separator: ", "))", hint: .redis("MODULE LIST"))
    case .tooFewDatabases(let needed, let configured):
      self = refused(
        "the backup needs \(needed) databases, it has \(configured)",
        hint: .redis("CONFIG GET databases"))
    case .nextStartDiffers(let setting, let running, let next):
      self = refused(
        "\(setting) is \"\(running)\" now, but the next start will read \"\(next)\"",
        hint: rewrite)
    case .nextStartFollows(let master):
      self = refused(
        "its configuration makes it a replica of \(master) at the next start, which takes that one's data",
        hint: rewrite)
    case .nextStartHasOtherPassword:
      self = refused(
        "its configuration has another password than this one, which the next start will not take",
        hint: rewrite)
    case .nextStartLacksUser(let user):
      self = refused(
        "its configuration has no user \(printable(Array(user.utf8))), who will not be let in at the next start",
        hint: rewrite)
    case .nextStartAsksForPassword:
      self = refused(
        "the next start will ask for a password, which the server does not do now",
        hint: .again("--password-file FILE"))
    case .obstacle(let obstacle):
      self = refused(
        obstacle.words, hint: obstacle.next, kind: obstacle.isDenial ? .denied : .incompatible)
    case .obstacleToHolding(let obstacle):
      self = refused(
        obstacle.words, hint: obstacle.nextOfStopped,
        kind: obstacle.isDenial ? .denied : .incompatible)
    case .otherSource(let archive, let target):
      self = refused(
        "the archive is of \(archive), not of \(target)", hint: .again("--from-other-source"),
        kind: .config)
    case .noRoom(let need, let free):
      self = refused(
        "the volume has \(Figures.bytes(free)) free, and \(Figures.bytes(need)) are needed",
        hint: .onServer("df -h"), kind: .io)
    case .appendManifestUnreadable(let path):
      self = .appendManifestUnreadable(path)
    case .noDataDirectory(let path):
      self = refused(
        "there is no directory \(path)", hint: .onServer("ls -ld \(shellWord(path))"),
        kind: .notFound)
    case .dataDirectoryUnclear(let paths):
      self = refused(
        "its data may lie in \(paths.joined(separator: " or "))", hint: .again("--data-dir DIR"),
        kind: .config)
    case .severalFiles(let paths):
      self = refused(
        "it may read \(paths.joined(separator: " or ")) at its start, and which cannot be told",
        hint: .again("# after one of them was moved away"), kind: .config)
    }
  }
}

extension RestoreObstacle {
  fileprivate var isDenial: Bool {
    switch self {
    case .forbidden, .notChecked, .processHidden: true
    default: false
    }
  }

  /// Where to look.
  fileprivate var next: NextCommand {
    switch self {
    case .serverNotOnThisHost(let processID), .serverElsewhere(let processID, _),
      .connectionLeadsElsewhere(let processID):
      .shell("ps -f -p \(processID)")
    case .otherHost(let name): .shell("getent ahosts \(shellWord(name))")
    case .processHidden: .shell("findmnt -no OPTIONS /proc")
    case .podWithoutController, .podNameNotKept, .templateChanged, .imageMissing, .preStopHook:
      .again("--restart server")
    case .dataNotOnClaim(_, let kind) where kind != "container": .again("--restart server")
    case .nodeUnschedulable(let node):
      .kubectl("uncordon \(shellWord(node))   # or restore with --restart server")
    case .nodeNotReady(let node): .kubectl("describe node \(shellWord(node))")
    case .forbidden: .kubectl("auth can-i --list")
    default: Self.look
    }
  }

  /// The same where the server does not run: it cannot be restarted in its pod.
  fileprivate var nextOfStopped: NextCommand {
    switch self {
    case .podWithoutController, .podNameNotKept, .templateChanged, .imageMissing, .dataNotOnClaim:
      Self.look
    case .nodeUnschedulable(let node): .kubectl("uncordon \(shellWord(node))")
    default: next
    }
  }

  private static let look = NextCommand.kubectl("get statefulset,pod,pvc -o wide")
}
