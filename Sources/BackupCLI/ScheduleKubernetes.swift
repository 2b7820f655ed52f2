import ArgumentParser
import FoundationEssentials
import Operations

extension Schedule {
  /// Prints what has a backup made every night inside the cluster.
  struct Kubernetes: ScheduleCommand {
    static let configuration = CommandConfiguration(
      commandName: "kubernetes",
      abstract: "Print a CronJob of Kubernetes with all that it needs.",
      discussion: """
        For example: raibid-backup schedule kubernetes | kubectl apply -f -

        All of it goes to the namespace of the Redis: CronJob, service account, role, and a claim for the \
        archives. The password comes from the Secret, as a file.
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
      if Settings.current.isTyped("heartbeat-url") {
        throw ValidationError("--heartbeat-url takes curl, which the image has not")
      }
      let typed = ["password-file", "directory", "kubeconfig", "context"].filter {
        Settings.current.isTyped($0)
      }
      let files = [
        ("cacert", settings.authorityFile), ("cert", settings.certificateFile),
        ("tls-key", settings.keyFile),
      ].filter { $0.1 != nil }
      if let option = (typed + files.map(\.0)).first {
        throw ValidationError("--\(option) is of this host, and means nothing inside the cluster")
      }
      return NightlyJob(
        name: name, image: image, time: time.at, place: place, settings: settings,
        arguments: try arguments(),
        archives: try hostPath.map(Self.directory) ?? .claim(size: storage))
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

    /// Those of this command, and what the image has no program for.
    private static let ownOptions = [
      "--at", "--image", "--name", "--storage", "--host-path", "--heartbeat-url",
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
