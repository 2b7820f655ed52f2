import RedisClient
import Targets
import Testing

@testable import Operations

@Suite struct CommandPlaceTests {
  private func place(_ settings: ConnectionSettings?) -> CommandPlace {
    var place = CommandPlace(arguments: ["create", "--pod", "it's me"])
    place.settings = settings
    place.serverOptions = ["--pod", "it's me"]
    place.archiveOptions = ["--directory", "/b"]
    return place
  }

  private let pod = ConnectionSettings(
    .kubernetes(
      PodPlace(
        namespace: "raibid-redis", choice: .pod("redis-0"), container: "redis", context: "prod",
        kubeconfig: "/k/my config")))

  @Test func `a command reaches a pod with all that this run was given`() {
    let place = place(pod)
    let kubectl = "kubectl --kubeconfig '/k/my config' --context prod -n raibid-redis"
    #expect(
      place.line(.redis("INFO server"))
        == "\(kubectl) exec -it redis-0 -c redis -- redis-cli --askpass INFO server")
    #expect(place.line(.onServer("df -h")) == "\(kubectl) exec redis-0 -c redis -- df -h")
    #expect(place.line(.kubectl("get pods")) == "\(kubectl) get pods")
    #expect(
      place.line(.kubectl("config get-contexts"))
        == "kubectl --kubeconfig '/k/my config' config get-contexts")
  }

  @Test(arguments: [
    (PodPlace.Choice.statefulSet("redis"), "statefulset/redis"),
    (
      .selector("app in (a,b)"),
      "$(kubectl -n n get pods -o name --selector 'app in (a,b)' | head -n 1)"
    ),
  ])
  func `a command reaches the pod that was found, or else one of those that are meant`(
    choice: PodPlace.Choice, pod: String
  ) {
    var place = CommandPlace(arguments: ["create"])
    place.settings = ConnectionSettings(.kubernetes(PodPlace(namespace: "n", choice: choice)))
    #expect(
      place.line(.redis("PING")) == "kubectl -n n exec -it \(pod) -- redis-cli --askpass PING")
    var error = BackupError.dumpPlaceUnknown()
    error.pod = "redis-1"
    #expect(
      place.line(after: error)
        == "kubectl -n n exec -it redis-1 -- redis-cli --askpass CONFIG GET dir")
  }

  @Test func `a command reaches a local server with user and certificates`() {
    var settings = ConnectionSettings(.local(host: "::1", port: 7000))
    settings.user = "bob"
    settings.password = [1]
    settings.usesTLS = true
    settings.authorityFile = "/ca.crt"
    let place = place(settings)
    #expect(
      place.line(.redis("PING"))
        == "redis-cli -h ::1 -p 7000 --user bob --askpass --tls --cacert /ca.crt PING")
    #expect(
      place.line(.redisAsAdmin("ACL LIST"))
        == "redis-cli -h ::1 -p 7000 --askpass --tls --cacert /ca.crt ACL LIST")
    #expect(
      place.line(.handshake) == "openssl s_client -connect '[::1]:7000' -CAfile /ca.crt < /dev/null"
    )
    #expect(place.line(.onServer("df -h")) == "df -h")
  }

  @Test func `a command in a pod names no certificates of this host`() {
    var settings = ConnectionSettings(.kubernetes(PodPlace(namespace: "n", choice: .pod("p"))))
    settings.usesTLS = true
    settings.authorityFile = "/ca.crt"
    settings.serverName = "redis.shop"
    #expect(
      place(settings).line(.handshake)
        == "kubectl -n n exec -it p -- redis-cli --askpass --tls --insecure PING")
  }

  @Test func `a restart command is not repeated, because it may name a password`() {
    for words in [
      ["--restart-command", "redis-server --requirepass secret"],
      ["--restart-command=redis-server --requirepass secret"],
    ] {
      let line = CommandPlace(arguments: ["restore", "latest"] + words + ["--yes"]).line(.again(""))
      #expect(!line.contains("secret") && line.contains("…") && line.hasSuffix(" --yes"))
    }
  }

  @Test func `of a command that is run afterwards only the program is repeated`() {
    for words in [["--on-success", "/bin/tell 1234"], ["--on-success=/bin/tell 1234"]] {
      let line = CommandPlace(arguments: ["create"] + words).line(.again("--force"))
      #expect(line.contains("/bin/tell …") && line.hasSuffix(" --force"), "\(line)")
    }
  }

  @Test func `a restore that is proposed starts the server again as this run would`() {
    var place = place(nil)
    place.restartCommand = "systemctl restart redis@1"
    #expect(
      place.line(.tool("restore --rollback"))
        == "raibid-backup restore --rollback --pod 'it'\\''s me' "
        + "--restart-command 'systemctl restart redis@1' --directory /b")
    #expect(!place.line(.tool("restore latest --dry-run")).contains("--restart-command"))
    #expect(!place.line(.tool("verify latest")).contains("--restart-command"))
    place.restartCommand = "redis-server --requirepass secret"
    #expect(place.line(.tool("restore --resume")).contains("--restart-command '…'"))
  }

  @Test(arguments: [
    ("jobs/redis-0", "--namespace jobs --pod redis-0"),
    ("jobs/statefulset/redis", "--namespace jobs --pod statefulset/redis"),
    ("jobs/selector/a.b/c=d", "--namespace jobs --selector a.b/c=d"),
    ("127.0.0.1:6380", "--target local --host 127.0.0.1 --port 6380"),
    ("::1:6379", "--target local --host ::1 --port 6379"),
  ])
  func `an unfinished restore is ended on its own server`(target: String, options: String) {
    #expect(
      StatusFinding.unfinishedRestore(target).next == .archives("restore --resume \(options)"))
  }

  @Test func `words are quoted, options added, and a comment stays at the end`() {
    let place = place(nil)
    #expect(place.line(.again("--yes")) == "raibid-backup create --pod 'it'\\''s me' --yes")
    #expect(place.line(.archives("list")) == "raibid-backup list --directory /b")
    #expect(
      place.line(.tool("restore --resume # or --rollback"))
        == "raibid-backup restore --resume --pod 'it'\\''s me' --directory /b   # or --rollback")
    #expect(place.line(.redis("PING")) == "redis-cli PING")
    #expect(shellWord("") == "''")
  }

  @Test func `a pod that is proposed takes the place of the one that was given`() {
    let typed = [["-l", "a=b"], ["--selector=a=b"], ["--pod", "x"], ["--pod=statefulset/x"]]
    for words in typed {
      let place = CommandPlace(arguments: ["restore"] + words + ["--yes"])
      #expect(place.line(.again("--pod y")) == "raibid-backup restore --yes --pod y")
    }
  }

  private func session(context: String?, usesTLS: Bool = false) -> ServerSession {
    let kubectl = Kubectl(namespace: "n")
    let container = PodContainer(pod: "p", container: "c")
    return ServerSession(
      target: Target(
        source: TargetSource(target: .kubernetes, context: context, namespace: "n", pod: "p"),
        volume: PodVolume(kubectl: kubectl, container: container),
        control: PodServer(
          kubectl: kubectl, container: container, port: 6379, memoryLimitByteCount: nil)),
      credentials: nil, tls: usesTLS ? TLSOptions() : nil, limits: TimeLimits())
  }

  @Test func `a pod that cannot be reached at its own address may be behind a policy`() {
    let address = RedisAddress(host: "10.0.0.7", port: 6379)
    for error in [
      RedisError.cannotConnect(address, reason: "no route to host"), .connectTimedOut(address),
    ] {
      let inside = BackupError(any: error, session: session(context: nil), verb: "reach")
      #expect(inside.next == .kubectl("get networkpolicies   # is this pod let in?"))
      let outside = BackupError(any: error, session: session(context: "x"), verb: "reach")
      #expect(outside.next == .redis("PING"))
    }
  }

  @Test(arguments: [nil, "x"])
  func `a certificate for another name than the address of a pod needs that name`(
    context: String?
  ) {
    let told = BackupError(
      any: RedisError.tlsFailed(reason: RedisError.certificateForAnotherName),
      session: session(context: context, usesTLS: true), verb: "reach")
    #expect(
      told.message == "cannot reach n/p over TLS: the server's certificate is for another name")
    #expect(told.next == .again("--sni NAME   # one that the certificate is for"))
  }

  @Test(arguments: [
    (
      TargetError.toolMissing(name: "kubectl"), BackupError.Kind.unavailable,
      "cannot run kubectl: it is not on PATH"
    ),
    (
      .podNotFound(namespace: "n", pod: "p"), .unavailable,
      "cannot find pod p: there is none in namespace n"
    ),
    (
      .namespaceNotFound(namespace: "n"), .unavailable,
      "cannot find namespace n: it does not exist"
    ),
    (
      .contextNotFound(context: "c"), .unavailable,
      "cannot find context c: the kubeconfig has no such one"
    ),
    (
      .noPod(namespace: "n", that: "matches a=b"), .unavailable,
      "cannot find the server: no pod in namespace n matches a=b"
    ),
    (
      .containerNotUnique(pod: "p", containers: ["a", "b"]), .unavailable,
      "cannot tell which container of pod p is meant: several run a server"
    ),
    (
      .containerNotFound(container: "x", pod: "p", available: ["redis"]), .unavailable,
      "cannot find the container in pod p: there is no such one"
    ),
    (.forbidden(message: "no"), .denied, "cannot use the cluster: this account lacks a right"),
    (
      .clusterUnreachable(message: "x"), .unavailable,
      "cannot reach the cluster: it does not answer"
    ),
    (
      .podNotRunning(pod: "p", reason: "CrashLoopBackOff"), .unavailable,
      "cannot use pod p: it is not running (CrashLoopBackOff)"
    ),
    (
      .cutShort(path: "/d", expected: 2, received: 1), .damaged,
      "cannot trust the copy of /d: it is not whole"
    ),
    (.noSpace(path: "/d"), .io, "cannot write /d: the volume is full"),
    (
      .serverStillRunning(processID: 7), .unavailable,
      "cannot stop the server: process 7 is still running"
    ),
  ])
  func `what is wrong where a server lives is told as a fact`(
    error: TargetError, kind: BackupError.Kind, message: String
  ) {
    let told = BackupError(error)
    #expect(told.kind == kind)
    #expect(told.message == message)
  }
}
