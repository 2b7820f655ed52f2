import ArgumentParser
import FoundationEssentials
import Operations

extension Schedule {
  /// Prints what has a backup made every night inside the cluster.
  struct Kubernetes: ScheduleCommand {
    static let configuration = CommandConfiguration(
      commandName: "kubernetes",
      abstract: "Print a CronJob of Kubernetes with all that it needs.",
      usage: "\(Tool.name) schedule kubernetes <options>",
      discussion: """
        For example: raibid-backup schedule kubernetes | kubectl apply -f -

        All of it goes to the namespace of the Redis: CronJob, service account, role, and a claim for the \
        archives. The password is read from the Secret each night; where there is no such Secret, none is \
        used. --cacert, --cert and --tls-key name what the cluster has: secret/NAME/KEY or \
        configmap/NAME/KEY.
        """)

    @OptionGroup var create: Create
    @OptionGroup var time: NightlyTime

    @Option(help: "The image, as scripts/image builds it.")
    var image = "localhost/\(Tool.name):\(Tool.version)"

    @Option(help: "The name of all that is made; another one for each Redis of a namespace.")
    var name = Tool.name

    @Option(help: "The size of the claim for the archives.")
    var storage = "8Gi"

    @Option(
      help: ArgumentHelp(
        "Keep the archives in this directory of a node, which user 65532 can write, and not on a claim.",
        valueName: "node:directory"))
    var hostPath: String?

    func run() async throws {
      Output.standard.write(try job().manifests)
    }

    private func job() throws -> NightlyJob {
      let settings = try create.connectionSettings(readsPasswordFile: false)
      guard case .kubernetes(let place) = settings.place else {
        throw ValidationError("--target local: this is for a Redis in the cluster")
      }
      if create.prune { _ = try create.retention.policy() }
      try refuseNames()
      try refuseWhatIsOfThisHost()
      let files = [
        ("cacert", settings.authorityFile), ("cert", settings.certificateFile),
        ("tls-key", settings.keyFile),
      ]
      return NightlyJob(
        name: name, image: image, time: time.at, place: place, settings: settings,
        namesSecret: create.server.passwordSecret != nil, arguments: try arguments(),
        archives: try hostPath.map(Self.directory) ?? .claim(size: storage),
        files: try files.compactMap { option, text in
          try text.map { try ClusterFile(option, $0) }
        },
        waitSeconds: [create.watch.randomDelay, create.locking.wait.flatMap(TimeSpan.init)]
          .compactMap { $0?.duration.components.seconds }.reduce(0, +),
        heartbeatURL: create.watch.heartbeatURL)
    }

    /// What the API server would refuse, which adds eleven characters to the name of a CronJob.
    private func refuseNames() throws {
      guard name.wholeMatch(of: /[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?/) != nil else {
        throw ValidationError(
          "--name: \"\(name)\" is not at most 52 lower-case letters, digits and dashes within")
      }
      guard storage.wholeMatch(of: /[0-9]+(\.[0-9]+)?([kMGTPE]|[KMGTPE]i)?/) != nil else {
        throw ValidationError("--storage: \"\(storage)\" is not a size such as 8Gi")
      }
    }

    /// What is typed and cannot be done is an error; what was set for other runs is left out.
    private func refuseWhatIsOfThisHost() throws {
      let settings = Settings.current
      for option in ["password-file", "directory", "kubeconfig", "context"]
      where settings.isTyped(option) {
        throw ValidationError("--\(option) is of this host, and means nothing inside the cluster")
      }
      for option in ["on-success", "on-failure"] {
        guard !settings.isTyped(option) else {
          throw ValidationError("--\(option) runs a program of this host, which the image has not")
        }
        guard let place = settings.place(of: option) else { continue }
        Output.error.write("warning: \(place) is left out: the image has no programs for it\n")
      }
      if let place = settings.place(of: "heartbeat-url") {
        Output.error.write("warning: \(place) is a secret, and stands in what is printed\n")
      }
      if !settings.isTyped("metrics-file"), let place = settings.place(of: "metrics-file") {
        Output.error.write("warning: \(place) is left out: it is a file of this host\n")
      }
    }

    /// The options of the run that are neither of this command nor in its environment, wherever they were
    /// set.
    private func arguments() throws -> [String] {
      var others = try CommandOption.all(of: ServerOptions.self)
      others += try CommandOption.all(of: DirectoryOptions.self)
      if !Settings.current.isTyped("metrics-file") {
        others += try CommandOption.all(of: MetricsOptions.self)
      }
      let flags = others.filter { $0.kind == .flag }.flatMap(\.spellings)
      let left = others.filter { $0.kind != .flag }.flatMap(\.spellings) + Self.ownOptions
      return NightlyRun.options(
        Array(Settings.current.words.dropFirst(2)), without: Set(left), flags: Set(flags))
    }

    /// Those of this command, those that stand elsewhere, and what the image has no program for.
    private static let ownOptions = [
      "--at", "--image", "--name", "--storage", "--host-path", "--tls-key", "--key",
      "--heartbeat-url", "--on-success", "--on-failure", "--hook-timeout",
    ]

    private static func directory(_ text: String) throws -> NightlyJob.Archives {
      let parts = text.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2, parts[1].hasPrefix("/") else {
        throw ValidationError("--host-path: \"\(text)\" is not NODE:/DIRECTORY")
      }
      return .directory(node: parts[0], path: parts[1])
    }
  }
}
