import RedisClient
import Targets

// What keeps a server from being reached and used.

extension BackupError {
  init(_ error: RedisError, at place: String, session: ServerSession?) {
    switch error {
    case .authenticationFailed(let reply):
      let fact =
        reply.code == "WRONGPASS" ? "user or password is wrong" : "the server refuses the login"
      self.init(
        .denied, "cannot log in to \(place): \(fact)", cause: reply.message, hint: .redis("PING"))
    case .passwordRequired:
      let secret = session?.target.source.namespace == nil ? "" : ", and the Secret"
      self.init(
        .denied, "cannot log in to \(place): it wants a password, and none was found",
        cause:
          "looked at --password-file, REDISCLI_AUTH, ~/.raibid/redis-credentials.json\(secret)",
        hint: .again("--password-file FILE"))
    case .server(let reply):
      self.init(reply, at: place, user: session?.credentials?.username ?? "default")
    case .cannotConnect(_, let reason):
      self.init(
        .unavailable, "cannot reach \(place): \(reason)",
        hint: session.flatMap(Self.policies) ?? .redis("PING"))
    case .connectTimedOut:
      let limit = session.map { " in \(Figures.limit($0.limits.connect))" } ?? " in time"
      let isEncrypted = session?.tls != nil
      self.init(
        .unavailable,
        "cannot reach \(place): \(isEncrypted ? "no TLS connection" : "no connection")\(limit)",
        hint: session.flatMap(Self.policies) ?? (isEncrypted ? .handshake : .redis("PING")))
    case .timedOut(let command, let limit):
      self.init(
        .unavailable, "cannot reach \(place): no reply to \(command) in \(Figures.limit(limit))",
        hint: .redis("PING"))
    case .connectionClosed(command: "SYNC"?):
      self.init(
        .unavailable, "cannot get a dump of \(place): the connection was closed before it began",
        cause: "the server's log has the reason, if it was the server",
        hint: .redis("CONFIG GET repl-diskless-sync"))
    case .dumpCutShort:
      self.init(
        .damaged, "cannot trust the dump of \(place): it is not whole", cause: error.description,
        hint: .again(""))
    case .connectionClosed(let command):
      let when = command.map { " before the reply to \($0)" } ?? ""
      self.init(
        .unavailable, "cannot reach \(place): the connection was closed\(when)",
        hint: session?.tls == nil ? .handshake : .redis("PING"))
    case .tlsFailed(RedisError.certificateForAnotherName)
    where session?.target.source.namespace != nil:
      self.init(
        .unavailable,
        "cannot reach \(place) over TLS: \(RedisError.certificateForAnotherName)",
        cause: "a pod is reached by an address, and its certificate is for names",
        hint: .again("--sni NAME   # one that the certificate is for"))
    case .tlsFailed(let reason):
      self.init(.unavailable, "cannot reach \(place) over TLS: \(reason)", hint: .handshake)
    case .protocolViolation, .unexpectedReply:
      self.init(
        .unavailable, "cannot use \(place): what answers there is not a Redis",
        cause: error.description, hint: .redis("PING"))
    }
  }

  /// A look at what may keep a pod from being reached at its own address, from inside its cluster; nil
  /// where a server is reached in another way.
  private static func policies(_ session: ServerSession) -> NextCommand? {
    let source = session.target.source
    guard source.namespace != nil, source.context == nil else { return nil }
    return .kubectl("get networkpolicies   # is this pod let in?")
  }

  /// An error reply.
  private init(_ reply: RedisServerError, at place: String, user: String) {
    switch reply.code {
    case "NOPERM":
      let command = Self.commandRefused(reply.message)
      self.init(
        .denied, "cannot use \(place): user \(user) lacks a right", cause: reply.message,
        hint: .redisAsAdmin(
          command.map { "ACL SETUSER \(shellWord(user)) \(shellWord("+" + $0))" }
            ?? "ACL GETUSER \(shellWord(user))"))
    case "LOADING": self = .serverIsLoading(nil)
    case "BUSY":
      self.init(
        .busy, "cannot use \(place): it is busy with a script", cause: reply.message,
        hint: .redis("SCRIPT KILL"))
    case "NOMASTERLINK":
      self.init(
        .unavailable, "cannot get a dump of \(place): it is a replica without its master",
        cause: reply.message, hint: .redis("INFO replication"))
    case "DENIED":
      self.init(
        .denied, "cannot use \(place): it is in protected mode, open to its own host only",
        cause: Self.firstSentence(reply.message), hint: .again("--host 127.0.0.1"))
    case "NOAUTH":
      self.init(
        .denied, "cannot use \(place): it refuses this connection", cause: reply.message,
        hint: .redis("PING"))
    default:
      if reply.message.hasPrefix("ERR max number of clients") {
        self.init(
          .busy, "cannot use \(place): it takes no more clients", cause: reply.message,
          hint: .redis("CONFIG GET maxclients"))
      } else if reply.message.hasPrefix("ERR unknown command") {
        // Renamed away by `rename-command`, as some hosters do with CONFIG.
        self.init(
          .incompatible, "cannot use \(place): it lacks a command that is needed",
          cause: reply.message, hint: .redis("COMMAND INFO \(Self.commandLacking(reply.message))"))
      } else {
        self.init(
          .unavailable, "cannot use \(place): it answers with an error", cause: reply.message,
          hint: .redis("INFO"))
      }
    }
  }

  /// "… to run the 'config|get' command".
  private static func commandRefused(_ message: String) -> String? {
    let parts = message.split(separator: "'", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[0].hasSuffix("run the ") else { return nil }
    return String(parts[1])
  }

  /// "ERR unknown command 'XINFO', with …"; with a grave accent before Redis 7.0.
  private static func commandLacking(_ message: String) -> String {
    let parts = message.split { "'`".contains($0) }
    let name = parts.count > 1 ? String(parts[1].prefix { $0.isLetter && $0.isASCII }) : ""
    return name.isEmpty ? "CONFIG BGSAVE SHUTDOWN" : name.uppercased()
  }

  private static func firstSentence(_ text: String) -> String {
    let words = text.split(separator: " ")
    guard let end = words.firstIndex(where: { $0.hasSuffix(".") }) else { return text }
    return words[...end].joined(separator: " ")
  }

  /// What is wrong with the place where a server lives.
  public init(_ error: TargetError) {
    let cause = error.description
    switch error {
    case .toolMissing(let name):
      self.init(
        .unavailable, "cannot run \(name): it is not on PATH",
        hint: name.hasSuffix("kubectl")
          ? .again("--target local   # for a Redis on this host") : "command -v \(shellWord(name))")
    case .podNotFound(let namespace, let pod):
      self.init(
        .unavailable, "cannot find pod \(pod): there is none in namespace \(namespace)",
        hint: .kubectl("get pods"))
    case .noPod:
      self.init(
        .unavailable, "cannot find the server: \(cause)",
        hint: .kubectl("get statefulsets,pods --show-labels"))
    case .heldByRestore:
      self.init(
        .unavailable, "cannot find the server: \(cause)",
        hint: .tool("restore --rollback # or --resume, unless a restore runs now"))
    case .namespaceNotFound(let name):
      self.init(
        .unavailable, "cannot find namespace \(name): it does not exist",
        hint: .kubectl("get namespaces"))
    case .containerNotFound(_, let pod, let available):
      self.init(
        .unavailable, "cannot find the container in pod \(pod): there is no such one",
        cause: cause, hint: .again("--container \(shellWord(available.first ?? "NAME"))"))
    case .notASelector(let selector, let message):
      self.init(
        .usage, "cannot use --selector: \"\(selector)\" is not a label selector", cause: message,
        hint: .kubectl("get pods --show-labels"))
    case .containerNotUnique(let pod, let containers):
      self.init(
        .unavailable, "cannot tell which container of pod \(pod) is meant: several run a server",
        cause: cause, hint: .again("--container \(shellWord(containers.first ?? "NAME"))"))
    case .contextNotFound(let name):
      self.init(
        .unavailable, "cannot find context \(name): the kubeconfig has no such one",
        hint: .kubectl("config get-contexts"))
    case .forbidden:
      self.init(
        .denied, "cannot use the cluster: this account lacks a right", cause: cause,
        hint: .kubectl("auth can-i --list"))
    case .clusterUnreachable(let message):
      self.init(
        .unavailable, "cannot reach the cluster: it does not answer", cause: message,
        hint: .kubectl("cluster-info"))
    case .podNotRunning(let pod, let reason):
      self.init(
        .unavailable, "cannot use pod \(pod): it is not running (\(reason))",
        hint: .kubectl("describe pod \(shellWord(pod))"))
    case .podDidNotComeBack(let reason):
      self.init(
        .unavailable, "cannot use the pod: it did not come back", cause: reason,
        hint: .kubectl("get pods,events"))
    default: self.init(atServer: error)
    }
  }

  /// What is wrong with the files and the process of a server.
  private init(atServer error: TargetError) {
    let cause = error.description
    switch error {
    case .toolMissingInContainer(let name, let container):
      self.init(
        .incompatible, "cannot use the files of the server: container \(container) has no \(name)",
        hint: .again("--match '*'   # writes keys over the connection"))
    case .permissionDenied(let path):
      self.init(
        .denied, "cannot use \(path): permission denied",
        hint: .onServer("ls -ld \(shellWord(path))"))
    case .noSpace(let path):
      self.init(
        .io, "cannot write \(path): the volume is full", hint: .onServer("df -h"))
    case .restoreAtWork(let processID):
      self.init(
        .busy, "cannot begin: another restore of this server is at work; nothing was changed",
        cause: cause, hint: .shell("ps -f -p \(processID)"))
    case .cutShort(let path, _, _), .changedWhileReading(let path):
      self.init(
        .damaged, "cannot trust the copy of \(path): it is not whole", cause: cause,
        hint: .again(""))
    case .fileNotFound(let path):
      self.init(
        .unavailable, "cannot find \(path): the server has no such file where it keeps its data",
        hint: .redis("CONFIG GET dir"))
    case .notRegularFile(let path), .fileExists(let path), .io(let path, _),
      .linksNotSupported(let path, _):
      self.init(
        .io, "cannot use \(path) of the server: \(cause)",
        hint: .onServer("ls -ld \(shellWord(path))"))
    case .stalled(let what, _)
    where what.hasPrefix("kubectl ") && !["kubectl cp", "kubectl exec"].contains(what):
      self.init(
        .unavailable, "cannot wait any longer for \(what): \(cause)",
        hint: .kubectl("get --raw /readyz --request-timeout 10s"))
    case .stalled(let what, _):
      self.init(
        .unavailable, "cannot wait any longer for \(what): \(cause)",
        hint: .again("--stall-timeout 5m"))
    case .noRestartCommand: self = .noRestartCommand()
    case .restartCommandFailed(let status, let output):
      self.init(
        .unavailable,
        "cannot start the server: the restart command ended with status \(status)",
        cause: output.isEmpty ? nil : output, hint: .redis("PING"))
    case .serverRuns(let server):
      self.init(
        .busy, "cannot work with the files alone: \(server) runs", hint: .onServer("ps -ef"))
    case .serverStillRunning(let processID):
      self.init(
        .unavailable, "cannot stop the server: process \(processID) is still running",
        hint: .onServer("ps -f -p \(processID)"))
    default:
      self.init(
        .unavailable, "cannot work where the server lives: \(cause)", hint: .redis("PING"))
    }
  }
}

// Which of several servers is meant.

extension BackupError {
  init(_ error: PrimaryUnclear) {
    let choice = error.choice
    self.init(
      .unavailable,
      error.isNone
        ? "cannot find the primary: no pod \(choice.that) takes writes"
        : "cannot tell which server is meant: several pods \(choice.those) take writes",
      cause: error.found.joined(separator: "; "), hint: .kubectl(choice.lookAtPods))
  }

  /// - Parameter facts: Why each of the others cannot be seen.
  static func unseenPods(beside pod: String, _ facts: [String]) -> BackupError {
    BackupError(
      .unavailable, "cannot tell whether another pod than \(pod) is the primary",
      cause: facts.joined(separator: "; "), hint: .again("--pod \(shellWord(pod))"))
  }
}

extension PodPlace.Choice {
  fileprivate var that: String {
    switch self {
    case .pod(let name): "named \(name)"
    case .statefulSet(let name): "of StatefulSet \(name)"
    case .selector(let selector): "that matches \(selector)"
    }
  }

  fileprivate var those: String {
    if case .selector(let selector) = self { "that match \(selector)" } else { that }
  }

  fileprivate var lookAtPods: String {
    if case .selector(let selector) = self {
      "get pods --selector \(shellWord(selector)) --show-labels"
    } else {
      "get statefulsets,pods --show-labels"
    }
  }
}
