import ArchiveStore
import Files
import FoundationEssentials
import RDBFormat
import RedisClient
import Targets

// Every sentence that a person may read when something does not work. Grammar: "cannot VERB OBJECT:
// FACT", lower-case, no full stop; the hint is a command.

// MARK: - Options and settings

extension BackupError {
  /// A value that an option cannot have.
  public static func badValue(_ option: String, _ value: String, expected: String) -> BackupError {
    BackupError(
      .usage, "cannot use \(option): \"\(value)\" is not \(expected)",
      hint: "raibid-backup --help")
  }

  /// A question that nobody can be asked.
  public static func cannotAsk(_ archive: String) -> BackupError {
    BackupError(
      .usage, "cannot restore \(archive): nobody can be asked, since there is no terminal",
      hint: "raibid-backup restore \(archive) --yes")
  }

  /// A local server that nothing can start again.
  public static func noRestartCommand() -> BackupError {
    BackupError(
      .usage, "cannot restore: nothing says how this server is started again",
      hint: "raibid-backup restore latest --target local "
        + "--restart-command 'systemctl restart redis-server'")
  }

  /// A combination of options that means nothing.
  public static func conflict(_ fact: String, hint: String) -> BackupError {
    BackupError(.usage, "cannot run: \(fact)", hint: hint)
  }

  /// A file with a password or settings that cannot be used.
  public static func settingsFile(_ path: String, cause: String) -> BackupError {
    BackupError(
      .config, "cannot read the settings in \(path)", cause: cause, hint: "cat \(path)")
  }

  /// A file with a password that cannot be read.
  public static func passwordFile(_ error: FileError) -> BackupError {
    BackupError(
      error.isDenied ? .denied : .config, "cannot read the password", cause: error.description,
      hint: "ls -l \(error.path)")
  }

  /// A password file with nothing in it.
  public static func passwordFileMissing(_ path: String) -> BackupError {
    BackupError(
      .config, "cannot read the password: \(path) does not exist", hint: "ls -l \(path)")
  }

  static func notConfirmed() -> BackupError {
    BackupError(
      .usage, "cannot restore: not confirmed; nothing was changed",
      hint: "raibid-backup restore latest --dry-run")
  }

  static func internalError(_ fact: String) -> BackupError {
    BackupError(
      .internal, "cannot go on: \(fact)", hint: "raibid-backup --version   # and report it, please")
  }

  /// An error that nobody expected.
  public static func unexpected(_ error: any Error) -> BackupError {
    internalError("\(error)")
  }
}

// MARK: - Archives and their directory

extension BackupError {
  /// An error of an archive directory.
  public init(_ error: DirectoryError) {
    switch error {
    case .parentMissing(let directory):
      self.init(
        .cannotCreate, "cannot make \(directory): the directory above it does not exist",
        hint: "mkdir -p \(directory)")
    case .cannotMake(let directory, let cause):
      self.init(
        .cannotCreate, "cannot make \(directory)", cause: cause.description,
        hint: "ls -ld \(directory)/..")
    case .notADirectory(let directory):
      self.init(
        .cannotCreate, "cannot use \(directory): it is not a directory", hint: "ls -ld \(directory)")
    case .missing(let directory):
      self.init(
        .notFound, "cannot find \(directory): it does not exist", hint: "raibid-backup create")
    case .cannotLock(let directory, let cause):
      self.init(
        .config, "cannot lock \(directory): its file system has no locks",
        cause: cause.description, hint: "df -T \(directory)")
    case .locked(let directory, let holder):
      self.init(
        .busy, "cannot lock \(directory): another run holds it",
        cause: holder.isEmpty ? nil : holder, hint: "ps aux | grep raibid-backup")
    case .archiveNotFound(let reference):
      self.init(
        .notFound, "cannot find \(reference): there is no such archive and no such file",
        hint: "raibid-backup list")
    case .noWholeArchive(let directory):
      self.init(
        .notFound, "cannot find the latest archive: \(directory) holds no verified one",
        hint: "raibid-backup verify --all --directory \(directory)")
    case .severalSources(let directory, let sources):
      self.init(
        .usage, "cannot tell which Redis is meant: \(directory) holds archives of several",
        cause: sources.joined(separator: ", "),
        hint: "raibid-backup list --source \(sources.first ?? "")")
    }
  }

  /// A file that cannot be written to, read from, or made.
  public init(_ error: FileError) {
    if error.verb == "read" || error.verb == "open" {
      self = .cannotRead(error.path, error)
    } else {
      self.init(
        error.isDenied || error.isReadOnly ? .cannotCreate : .io,
        "cannot write \(error.path)", cause: error.description, hint: "df -h \(error.path)")
    }
  }

  static func cannotRead(_ path: String, _ error: FileError) -> BackupError {
    if error.isMissing {
      return BackupError(
        .notFound, "cannot read \(path): it does not exist", hint: "raibid-backup list")
    }
    if error.isDirectory {
      return BackupError(
        .notFound, "cannot read \(path): it is a directory, not an archive",
        hint: "raibid-backup list --directory \(path)")
    }
    return BackupError(
      error.isDenied ? .denied : .io, "cannot read \(path)", cause: error.description,
      hint: "ls -l \(path)")
  }

  static func cannotRecordVerdict(_ path: String, _ error: FileError) -> BackupError {
    BackupError(
      .io, "cannot record the verdict on \(path)", cause: error.description,
      hint: "df -h \(path)")
  }

  static func archiveDamaged(_ path: String, _ findings: [Finding]) -> BackupError {
    BackupError(
      .damaged, "cannot restore \(path): it is damaged; nothing was changed",
      cause: findings.first?.message, hint: "raibid-backup verify \(path)")
  }

  static func archiveNotUnderstood(_ path: String, version: Int) -> BackupError {
    BackupError(
      .incompatible,
      "cannot restore \(path): RDB version \(version) is newer than this tool understands; "
        + "nothing was changed", hint: "raibid-backup --version")
  }
}

// MARK: - Creating

extension BackupError {
  static func serverIsLoading(_ percent: Double?) -> BackupError {
    let share = percent.map { " (\(Int($0)) % done)" } ?? ""
    return BackupError(
      .busy, "cannot use the server: it is loading its data\(share)", hint: "redis-cli INFO persistence")
  }

  static func memoryLimitTooLow(limit: UInt64, need: UInt64) -> BackupError {
    BackupError(
      .unavailable,
      "cannot save: the pod may use \(limit) bytes of memory and saving may need \(need), so that the "
        + "server could be killed", hint: "raibid-backup create --force")
  }

  static func noRoom(_ directory: String, need: UInt64, free: UInt64) -> BackupError {
    BackupError(
      .io, "cannot write the archive: \(directory) has \(free) bytes free, the last one took \(need)",
      hint: "df -h \(directory)")
  }

  static func dumpPlaceUnknown() -> BackupError {
    BackupError(
      .denied, "cannot find the dump: the server does not tell its directory",
      hint: "redis-cli CONFIG GET dir")
  }

  static func settingUnknown(_ name: String) -> BackupError {
    BackupError(
      .denied, "cannot plan: the server does not tell its setting \(name)",
      hint: "redis-cli CONFIG GET \(name)")
  }

  static func dumpNotOurs(began: String?, asked: Int64) -> BackupError {
    BackupError(
      .unavailable,
      "cannot trust the dump: it was begun at second \(began ?? "unknown"), before this run asked for "
        + "one at \(asked)", hint: "raibid-backup create")
  }

  static func archiveChangedOnDisk(_ path: String) -> BackupError {
    BackupError(
      .io, "cannot trust the disk: \(path) did not read back as it was written", hint: "dmesg | tail")
  }

  /// What kept a backup from being made.
  init(creating error: any Error, session: ServerSession) {
    if let rdb = error as? RDBError {
      self.init(
        .damaged, "cannot trust the dump: it is not whole", cause: rdb.description,
        hint: "raibid-backup create")
    } else {
      self.init(any: error, session: session, verb: "back up")
    }
  }

  /// Any error of the layers below.
  init(any error: any Error, session: ServerSession?, verb: String) {
    let place = session.map { $0.target.source.identity } ?? "the server"
    switch error {
    case let error as BackupError: self = error
    case let error as DirectoryError: self.init(error)
    case let error as FileError: self.init(error)
    case let error as RedisError: self.init(error, place: place)
    case let error as TargetError: self.init(error)
    case let error as SaveFailure: self.init(error)
    case let error as DataDiffers:
      self.init(
        .damaged, "cannot \(verb) \(place): what is served is not what was restored",
        cause: error.differences.prefix(5).joined(separator: "; "),
        hint: "raibid-backup verify latest")
    default: self = .unexpected(error)
    }
  }

  private init(_ failure: SaveFailure) {
    switch failure {
    case .refused(let text):
      self.init(
        .unavailable, "cannot save on the server: it refuses", cause: text,
        hint: "redis-cli INFO persistence   # and the server's log")
    case .childFailed:
      self.init(
        .unavailable, "cannot save on the server: it could not write its dump",
        cause: "rdb_last_bgsave_status:err; the server's log has the reason",
        hint: "redis-cli CONFIG GET dir   # is it writable, is there space?")
    case .stalled(let limit):
      self.init(
        .unavailable, "cannot save on the server: nothing has moved for \(Int(limit.seconds)) s",
        hint: "redis-cli INFO persistence")
    }
  }
}

// MARK: - Reaching a server

extension BackupError {
  init(_ error: RedisError, place: String) {
    switch error {
    case .authenticationFailed(let reply):
      self.init(
        .denied, "cannot log in to \(place): user or password is wrong", cause: reply.message,
        hint: "raibid-backup create --password-file FILE")
    case .passwordRequired:
      self.init(
        .denied, "cannot log in to \(place): it wants a password, and none was found",
        cause: "looked at --password-file, REDISCLI_AUTH, ~/.raibid/redis-credentials.json "
          + "and the Kubernetes Secret", hint: "raibid-backup create --password-file FILE")
    case .server(let reply) where reply.code == "NOPERM":
      self.init(
        .denied, "cannot use \(place): this user may not do it", cause: reply.message,
        hint: "redis-cli ACL WHOAMI")
    case .server(let reply) where reply.code == "LOADING":
      self = .serverIsLoading(nil)
    case .server(let reply) where ["DENIED", "NOAUTH"].contains(reply.code):
      self.init(
        .denied, "cannot use \(place): it refuses this connection", cause: reply.message,
        hint: "redis-cli PING")
    case .server(let reply):
      self.init(
        .unavailable, "cannot use \(place): the server answers with an error",
        cause: reply.message, hint: "redis-cli INFO")
    case .timedOut, .connectTimedOut, .cannotConnect, .connectionClosed:
      self.init(
        .unavailable, "cannot reach \(place)", cause: error.description,
        hint: "redis-cli -h HOST -p PORT PING")
    case .tlsFailed:
      self.init(
        .unavailable, "cannot reach \(place) over TLS", cause: error.description,
        hint: "openssl s_client -connect HOST:PORT -CAfile ca.crt")
    case .protocolViolation, .unexpectedReply:
      self.init(
        .unavailable, "cannot use \(place): what answers there is not a Redis",
        cause: error.description, hint: "redis-cli -h HOST -p PORT PING")
    }
  }

  /// What is wrong with the place where a server lives.
  public init(_ error: TargetError) {
    let cause = error.description
    switch error {
    case .toolMissing(let name):
      self.init(
        .unavailable, "cannot run \(name): it is not on PATH", hint: "command -v \(name)")
    case .podNotFound(let namespace, let pod):
      self.init(
        .unavailable, "cannot find pod \(pod): there is none in namespace \(namespace)",
        hint: "kubectl get pods -n \(namespace)")
    case .namespaceNotFound(let name):
      self.init(
        .unavailable, "cannot find namespace \(name): it does not exist",
        hint: "kubectl get namespaces")
    case .containerNotFound(_, let pod, let available):
      self.init(
        .unavailable, "cannot find the container in pod \(pod)", cause: cause,
        hint: "raibid-backup create --container \(available.first ?? "NAME")")
    case .contextNotFound(let name):
      self.init(
        .unavailable, "cannot find context \(name) in the kubeconfig",
        hint: "kubectl config get-contexts")
    case .forbidden:
      self.init(
        .denied, "cannot use the cluster: this account may not do it", cause: cause,
        hint: "kubectl auth can-i --list")
    case .permissionDenied(let path):
      self.init(
        .denied, "cannot use \(path): permission denied", cause: cause, hint: "ls -ld \(path)")
    case .noSpace(let path):
      self.init(
        .io, "cannot write \(path): the volume is full", cause: cause, hint: "df -h \(path)")
    case .cutShort(let path, _, _), .changedWhileReading(let path):
      self.init(
        .damaged, "cannot trust the copy of \(path): it is not whole", cause: cause,
        hint: "raibid-backup create")
    case .fileNotFound(let path):
      self.init(
        .unavailable, "cannot find \(path) where the server keeps its data", cause: cause,
        hint: "redis-cli CONFIG GET dir")
    case .io(let path, _), .fileExists(let path):
      self.init(.io, "cannot use \(path)", cause: cause, hint: "ls -l \(path)")
    default:
      self.init(
        .unavailable, "cannot reach the server where it lives", cause: cause,
        hint: "kubectl get pods --all-namespaces")
    }
  }
}

// MARK: - Restoring

extension BackupError {
  /// What kept a restore from beginning.
  init(restoring error: any Error, session: ServerSession) {
    self.init(any: error, session: session, verb: "restore")
  }

  static func noUnfinishedRestore() -> BackupError {
    BackupError(
      .notFound, "cannot take up a restore: the server has no unfinished one",
      hint: "raibid-backup restore latest --dry-run")
  }

  static func otherRestoreUnfinished(_ name: String, given: String) -> BackupError {
    BackupError(
      .config, "cannot restore \(given): the restore of \(name) is unfinished",
      hint: "raibid-backup restore --resume   # or --rollback")
  }

  static func journalUnreadable(_ path: String, cause: String) -> BackupError {
    BackupError(
      .config, "cannot take up the unfinished restore: its journal \(path) cannot be read",
      cause: cause, hint: "cat \(path)")
  }

  static func appendManifestUnreadable(_ path: String) -> BackupError {
    BackupError(
      .incompatible, "cannot plan: \(path) is not a manifest that this tool understands",
      hint: "cat \(path)")
  }

  static func stagedBackupDiffers(_ path: String) -> BackupError {
    BackupError(
      .io, "cannot trust the volume: \(path) is not what was written", hint: "df -h")
  }

  static func appendOnlyNotResumed() -> BackupError {
    BackupError(
      .unavailable, "cannot turn the append-only file on again: its rewrite failed",
      cause: "aof_last_bgrewrite_status:err; the server's log has the reason",
      hint: "redis-cli CONFIG SET appendonly yes")
  }

  static func appendOnlyTurnedOnAgain() -> BackupError {
    BackupError(
      .busy, "cannot go on: somebody else turned the append-only file on again",
      hint: "redis-cli CLIENT LIST")
  }

  static func swapUndoneByOthers(_ path: String) -> BackupError {
    BackupError(
      .busy, "cannot go on: somebody else's save or rewrite replaced \(path)",
      hint: "redis-cli CLIENT LIST")
  }

  static func restoreFailed(cause: any Error, session: ServerSession) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "restore")
    return BackupError(
      .restoreFailed, "cannot restore: the old data is served again",
      cause: [inner.message, inner.cause].compactMap(\.self).joined(separator: ": "),
      hint: inner.hint)
  }

  static func rollbackFailed(
    cause: any Error, first: (any Error)?, journal: RestoreJournal, session: ServerSession
  ) -> BackupError {
    let inner = BackupError(any: cause, session: session, verb: "go back on")
    let because = first.map { BackupError(any: $0, session: session, verb: "restore").message }
    return BackupError(
      .rollbackFailed,
      "cannot bring the old data back: it lies in \(journal.files.kept), and nothing of it is lost",
      cause: [because, inner.message, inner.cause].compactMap(\.self).joined(separator: "; "),
      hint: "raibid-backup restore --rollback")
  }

  init(refusing refusal: RestoreRefusal, session: ServerSession) {
    let place = session.target.source.identity
    func refused(_ fact: String, hint: String, kind: Kind = .incompatible) -> BackupError {
      BackupError(kind, "cannot restore \(place): \(fact); nothing was changed", hint: hint)
    }
    switch refusal {
    case .notAMaster(let role):
      self = refused("it is not a master but a \(role)", hint: "redis-cli INFO replication")
    case .replicasConnected(let count):
      self = refused(
        "\(count) replicas are connected, and one could take over with the old data",
        hint: "redis-cli INFO replication")
    case .mode(let mode):
      self = refused("it runs in \(mode) mode", hint: "redis-cli INFO server")
    case .versionTooNew(let dump, let server):
      self = refused("\(server) cannot load \(dump)", hint: "raibid-backup list")
    case .modulesMissing(let names):
      self = refused(
        "it lacks the modules for \(names.joined(separator: ", "))", hint: "redis-cli MODULE LIST")
    case .tooFewDatabases(let needed, let configured):
      self = refused(
        "the backup needs \(needed) databases, it has \(configured)",
        hint: "redis-cli CONFIG GET databases")
    case .nextStartDiffers(let setting, let running, let next):
      self = refused(
        "\(setting) is \"\(running)\" now, but the next start will read \"\(next)\"",
        hint: "redis-cli CONFIG REWRITE   # or correct the configuration file")
    case .obstacle(let obstacle):
      self = refused(obstacle.words, hint: "kubectl get statefulset,pod,pvc -o wide")
    case .otherSource(let archive, let target):
      self = refused(
        "the archive is of \(archive), not of \(target)",
        hint: "raibid-backup restore ARCHIVE --from-other-source", kind: .config)
    case .noRoom(let need, let free):
      self = refused(
        "the volume has \(free) bytes free and \(need) are needed", hint: "df -h", kind: .io)
    case .appendManifestUnreadable(let path):
      self = .appendManifestUnreadable(path)
    }
  }
}

// MARK: - Plans

/// The words of a restore's plan.
enum Sentences {
  /// What the sentences of a plan speak of.
  struct Names {
    let live: String
    let kept: String
    let staged: String
    let archive: String
  }

  static func time(_ ctime: String?) -> String {
    guard let seconds = ctime.flatMap(Double.init) else { return "at an unknown time" }
    return Date(timeIntervalSince1970: seconds).formatted(.iso8601)
  }

  static func risks(_ candidate: RestoreCandidate, _ facts: RestoreFacts) -> [String] {
    var risks = [
      "everything written since the backup is lost; the safety backup holds it",
      "writes are refused from the safety backup until the comparison is done",
    ]
    let expired = candidate.summary.content.databases.map(\.expiredKeys).reduce(0, +)
    if expired > 0 { risks.append("\(expired) keys of the backup have expired meanwhile") }
    if facts.nextStart == nil {
      risks.append("the configuration of the next start cannot be seen; it is taken to be the present one")
    }
    if let limit = facts.status.maxMemory, limit > 0,
      let used = candidate.summary.aux["used-mem"].flatMap({ Int64($0) }), used > limit
    {
      risks.append("the data took \(used) bytes of memory, and maxmemory is \(limit)")
    }
    if candidate.source == nil { risks.append("the file does not say which Redis it comes from") }
    return risks
  }
}

extension RestoreLayout {
  /// The layout in words.
  var words: String {
    switch self {
    case .multiPartAOF: "append-only file in parts"
    case .singleFileAOF: "append-only file"
    case .snapshot: "append-only file off"
    }
  }
}

extension RestorePlan.Line {
  init(step: RestoreStep, names: Sentences.Names) {
    let nothing = "nothing to undo"
    let (description, undo): (String, String) =
      switch step {
      case .beginJournal: ("write a journal on the volume", "remove it")
      case .stageBackup: ("write the backup to \(names.staged)", "remove it")
      case .compareDigest: ("compare its SHA-256 there", nothing)
      case .refuseWrites: ("refuse writes (min-replicas-to-write)", "accept them again")
      case .takeSafetyBackup: ("take a safety backup of the present data", "it stays")
      case .saveOldData: ("have the server save its present data", nothing)
      case .stopPersisting:
        ("have the server leave its files alone", "have it write them again")
      case .keepOldFiles: ("keep the old files in \(names.kept)", "remove their second names")
      case .swap: ("put the backup in place of \(names.live)", "put the old file back")
      case .confirmSwap: ("look that it is in its place", nothing)
      case .restart: ("restart the server", "restart it with the old files")
      case .awaitServer: ("wait until it has loaded, writes refused", nothing)
      case .compareData: ("compare keys and streams with the backup", "go back to the old data")
      case .acceptWrites: ("accept writes again", "none: from here on the backup is the data")
      case .removeOldFiles: ("remove the old files", "the safety backup has their data")
      case .endJournal: ("remove the journal", nothing)
      case .resumePersisting: ("have the server write its files again", nothing)
      case .putOldFilesBack: ("put the old files back", nothing)
      case .compareOldData: ("compare the keys with those before", nothing)
      case .removeKeptNames: ("remove the second names of the old files", nothing)
      case .removeStagedFiles: ("remove what was staged", nothing)
      }
    self.init(step: step, description: description, undo: undo)
  }
}

extension RestoreStep: CustomStringConvertible {
  /// What is being done, for a person who watches.
  public var description: String {
    switch self {
    case .beginJournal: "writing the journal"
    case .stageBackup: "copying the backup to the volume"
    case .compareDigest: "comparing its digest"
    case .refuseWrites: "refusing writes"
    case .takeSafetyBackup: "taking a safety backup"
    case .saveOldData: "saving the present data"
    case .stopPersisting: "closing the server's files"
    case .keepOldFiles: "keeping the old files"
    case .swap: "swapping"
    case .confirmSwap: "confirming the swap"
    case .restart: "restarting the server"
    case .awaitServer: "waiting for the server to load"
    case .compareData: "comparing the data"
    case .acceptWrites: "accepting writes"
    case .removeOldFiles: "removing the old files"
    case .endJournal: "removing the journal"
    case .resumePersisting: "opening the server's files again"
    case .putOldFilesBack: "putting the old files back"
    case .compareOldData: "comparing the old data"
    case .removeKeptNames, .removeStagedFiles: "tidying up"
    }
  }
}

extension BackupError {
  static func secretMissing(name: String, key: String) -> BackupError {
    BackupError(
      .config, "cannot read the password: there is no key \(key) in a Secret \(name)",
      hint: "kubectl describe secret \(name)")
  }
}

extension BackupError {
  /// A command line that cannot be parsed.
  public static func commandLine(_ fact: String) -> BackupError {
    let text = fact.hasPrefix("Error: ") ? String(fact.dropFirst("Error: ".count)) : fact
    return BackupError(
      .usage, "cannot read the command line: \(text)", hint: "raibid-backup --help")
  }

  /// An error of archives or files.
  public init(storing error: any Error) {
    self.init(any: error, session: nil, verb: "use")
  }
}

extension RestoreObstacle {
  /// What is in the way, in words.
  var words: String {
    switch self {
    case .podWithoutController(let pod):
      "pod \(pod) has no controller that would start it again"
    case .podNameNotKept(let kind, let controller):
      "the pod belongs to \(kind) \(controller), which would give the next one another name"
    case .dataNotOnClaim(let directory, let kind):
      "\(directory) is not on a persistent volume claim but on \(kind), and is lost with the pod"
    case .claimIsDeleted(let controller, let policy):
      "\(controller) deletes its claim (\(policy): Delete)"
    case .claimIsShared(let claim, let pods):
      "claim \(claim) is used by \(pods.joined(separator: ", ")) too"
    case .replicas(let controller, let count):
      "\(controller) has \(count) replicas"
    case .nodeNotReady(let node): "node \(node) is not ready"
    case .notChecked(let message): "not everything could be checked: \(message)"
    case .serverNotOnThisHost(let processID):
      "its process \(processID) is not a server on this host, so its files are not here"
    case .serverElsewhere(let processID, let directory):
      "its process \(processID) works in \(directory), not in the directory that it names"
    }
  }
}
