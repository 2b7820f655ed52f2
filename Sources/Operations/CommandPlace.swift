/// Where a run was meant to act, so that the commands its errors propose act there too.
public struct CommandPlace: Sendable {
  /// The connection; nil where the command line did not get that far.
  public var settings: ConnectionSettings?
  /// The pod that this run had found, where its options leave that open.
  public var pod: String?
  /// The words of this run after the name of the program.
  public var arguments: [String]
  /// The options of this run that lead to its server.
  public var serverOptions: [String]
  /// The options of this run that lead to its archives.
  public var archiveOptions: [String]
  /// How this run starts a local server again; nil where it does not.
  public var restartCommand: String?

  /// A place of which nothing else is known than the words of the run.
  public init(arguments: [String]) {
    self.arguments = arguments
    serverOptions = []
    archiveOptions = []
  }

  /// The line for a shell.
  public func line(_ command: NextCommand) -> String {
    switch command {
    case .shell(let line): line
    case .redis(let words): redis(words, options: userOptions)
    case .redisAsAdmin(let words): redis(words, options: [])
    case .onServer(let line): inContainer(interactive: false).map { "\($0) \(line)" } ?? line
    case .kubectl(let words): kubectl(words)
    case .handshake: handshake
    case .archives(let words): tool(words, archiveOptions)
    case .tool(let words):
      tool(words, serverOptions + restartOptions(of: words) + archiveOptions)
    case .again(let words): again(words)
    }
  }

  /// The line for a shell that an error proposes.
  public func line(after error: BackupError) -> String {
    var place = self
    if let pod = error.pod { place.pod = pod }
    return place.line(error.next)
  }

  private func redis(_ words: String, options: [String]) -> String {
    guard let settings else { return "redis-cli \(words)" }
    // The chart sets a password; a local server may have none.
    let asks = settings.password != nil || settings.isInCluster ? ["--askpass"] : []
    let login = Self.joined(options + asks + tlsOptions)
    switch settings.place {
    case .local(let host, let port):
      let address = ["redis-cli", "-h", host, "-p", "\(port)"]
      return [Self.joined(address), login, words].filter { !$0.isEmpty }.joined(separator: " ")
    case .kubernetes:
      let port = settings.podPort == 6379 ? "" : "-p \(settings.podPort)"
      return [inContainer(interactive: true) ?? "", "redis-cli", port, login, words]
        .filter { !$0.isEmpty }.joined(separator: " ")
    }
  }

  private var userOptions: [String] { settings?.user.map { ["--user", $0] } ?? [] }

  private var tlsOptions: [String] {
    guard let settings, settings.usesTLS else { return [] }
    // The files are on this host; inside its pod the server is surely itself.
    if settings.isInCluster { return ["--tls", "--insecure"] }
    let files = [
      ("--cacert", settings.authorityFile), ("--cert", settings.certificateFile),
      ("--key", settings.keyFile ?? settings.certificateFile), ("--sni", settings.serverName),
    ]
    return ["--tls"] + files.flatMap { name, value in value.map { [name, $0] } ?? [] }
  }

  /// What a command runs behind to be run where the server is; nil for this host.
  private func inContainer(interactive: Bool) -> String? {
    guard let settings, case .kubernetes(let place) = settings.place else { return nil }
    let options = Self.joined(["exec"] + (interactive ? ["-it"] : []))
    let container = Self.joined((place.container.map { ["-c", $0] } ?? []) + ["--"])
    return kubectl("\(options) \(pod(of: place)) \(container)")
  }

  /// The pod as a word for a shell.
  private func pod(of place: PodPlace) -> String {
    if let pod { return shellWord(pod) }
    return switch place.choice {
    case .pod(let name): shellWord(name)
    case .statefulSet(let name): shellWord("statefulset/\(name)")
    case .selector(let selector):
      "$(\(kubectl("get pods -o name --selector \(shellWord(selector))")) | head -n 1)"
    }
  }

  private func kubectl(_ words: String) -> String {
    guard let settings, case .kubernetes(let place) = settings.place else {
      return "kubectl \(words)"
    }
    var options: [String] = []
    if let kubeconfig = place.kubeconfig { options += ["--kubeconfig", kubeconfig] }
    if words.hasPrefix("config ") { return Self.joined(["kubectl"] + options) + " \(words)" }
    if let context = place.context { options += ["--context", context] }
    return Self.joined(["kubectl"] + options + ["-n", place.namespace]) + " \(words)"
  }

  private var handshake: String {
    guard let settings, case .local(let host, let port) = settings.place else {
      return redis("PING", options: userOptions)
    }
    let address = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    let authorities = settings.authorityFile.map { ["-CAfile", $0] } ?? []
    let name = settings.serverName.map { ["-servername", $0] } ?? []
    return Self.joined(["openssl", "s_client", "-connect", address] + authorities + name)
      + " < /dev/null"
  }

  private func tool(_ words: String, _ options: [String]) -> String {
    // A comment stays at the end.
    let parts = words.split(separator: "#", maxSplits: 1).map(String.init)
    let command = (parts.first ?? "").trimmingSuffix(" ")
    let line = [Tool.name, command, Self.joined(options)].filter { !$0.isEmpty }
      .joined(separator: " ")
    return parts.count == 2 ? "\(line)   #\(parts[1])" : line
  }

  private func again(_ words: String) -> String {
    let line = Self.joined([Tool.name] + withoutOption(words.split(separator: " ").first))
    return words.isEmpty ? line : "\(line) \(words)"
  }

  /// The words of this run without an option that is about to get another value.
  private func withoutOption(_ option: Substring?) -> [String] {
    guard let option else { return shownArguments }
    guard option != "--pod" else { return withoutPod }
    var rest = shownArguments
    guard let index = rest.firstIndex(of: String(option)) else { return rest }
    rest.removeSubrange(index..<min(index + 2, rest.count))
    return rest
  }

  /// The words of this run without what names its pod.
  private var withoutPod: [String] {
    let names = ["--pod", "--selector", "-l"]
    var rest: [String] = []
    var words = shownArguments[...]
    while let word = words.popFirst() {
      if names.contains(word) {
        _ = words.popFirst()
      } else if !names.contains(where: { word.hasPrefix("\($0)=") }) {
        rest.append(word)
      }
    }
    return rest
  }

  private func restartOptions(of words: String) -> [String] {
    guard let restartCommand, words.hasPrefix("restore"), !words.contains("--dry-run") else {
      return []
    }
    return ["--restart-command", SecretText.shown(restartCommand: restartCommand)]
  }

  /// The options whose value may hold a secret.
  private static let secretOptions: [String: @Sendable (String) -> String] = [
    "--heartbeat-url": SecretText.shown(url:), "--on-failure": SecretText.program(of:),
    "--on-success": SecretText.program(of:),
    "--restart-command": SecretText.shown(restartCommand:),
  ]

  /// The words of this run without secrets.
  private var shownArguments: [String] {
    var previous = ""
    return arguments.map { word in
      defer { previous = word }
      if let shown = Self.secretOptions[previous] { return shown(word) }
      let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let shown = Self.secretOptions[parts[0]] else { return word }
      return "\(parts[0])=\(shown(parts[1]))"
    }
  }

  private static func joined(_ words: [String]) -> String {
    words.map(shellWord).joined(separator: " ")
  }
}

extension ConnectionSettings {
  /// Whether the server lives in a pod.
  var isInCluster: Bool {
    if case .kubernetes = place { true } else { false }
  }
}

extension String {
  /// The text without the copies of a character at its end.
  fileprivate func trimmingSuffix(_ character: Character) -> String {
    var text = self
    while text.last == character { text.removeLast() }
    return text
  }
}
