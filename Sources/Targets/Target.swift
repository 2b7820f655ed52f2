/// A place where a Redis lives: its files, its server, and what a manifest says of it.
public struct Target: Sendable {
  /// What a manifest says of this place.
  public let source: TargetSource
  /// The files.
  public let volume: any DataVolume
  /// The server.
  public let control: any ServerControl

  /// Creates a target from its parts.
  public init(source: TargetSource, volume: any DataVolume, control: any ServerControl) {
    self.source = source
    self.volume = volume
    self.control = control
  }

  /// A server whose files are on this host.
  ///
  /// - Parameter restartCommand: See ``LocalServer/restartCommand``.
  public static func local(host: String, port: Int, restartCommand: String? = nil) -> Target {
    Target(
      source: TargetSource(target: .local, host: host, port: port),
      volume: LocalVolume(),
      control: LocalServer(
        address: ServerAddress(host: host, port: port), restartCommand: restartCommand))
  }

  /// The servers in the pods that a choice means, by the names of the pods; never none.
  ///
  /// Of several pods, those that have ended or have no container with a server are left out, unless there
  /// is no other.
  ///
  /// Where one may be meant that does not run, and none does, it is that one, if it is only one.
  ///
  /// - Returns: Beside the servers why others, that may be there, cannot be told of.
  /// - Throws: ``TargetError`` when there is no such pod or container, or it does not run.
  public static func kubernetes(
    _ options: KubernetesOptions
  ) async throws -> (found: [Target], unseen: [TargetError]) {
    let kubectl = Kubectl(
      executable: options.kubectl, kubeconfig: options.kubeconfig, context: options.context,
      namespace: options.namespace, isInsideCluster: options.isInsideCluster)
    async let currentContext = kubectl.currentContext()
    let (servers, unseen) = try await kubectl.servers(options)
    let context = try await currentContext
    let targets = servers.map { pod, container in
      Target(pod, container, of: kubectl, options: options, context: context)
    }
    return (targets, unseen)
  }

  private init(
    _ pod: String, _ container: Pod.Container, of kubectl: Kubectl, options: KubernetesOptions,
    context: String?
  ) {
    let place = PodContainer(pod: pod, container: container.name)
    self.init(
      source: TargetSource(
        target: .kubernetes, context: context, namespace: options.namespace, pod: place.pod,
        chosenBy: options.pod.words, container: place.container, image: container.image),
      volume: PodVolume(kubectl: kubectl, container: place, transport: options.transport),
      control: PodServer(
        kubectl: kubectl, container: place, port: options.port,
        memoryLimitByteCount: container.memoryLimitByteCount,
        startArguments: (container.command ?? []) + (container.args ?? []),
        // Without a context kubectl speaks to the cluster around it, and its pods have addresses there.
        isInSameCluster: options.isInsideCluster && context == nil,
        helperImage: options.helperImage))
  }
}

extension KubernetesOptions.PodChoice {
  /// What the choice is called where it leaves the pod open; nil for the name of a pod.
  var words: String? {
    switch self {
    case .name: nil
    case .statefulSet(let name): "statefulset/\(name)"
    case .selector(let selector): "selector/\(selector)"
    }
  }
}

extension TargetError {
  /// Whether another pod may do.
  fileprivate var isAboutOnePod: Bool {
    switch self {
    case .podNotRunning, .containerNotFound, .containerNotUnique: true
    default: false
    }
  }

  /// Whether the pod may be one that is yet to come.
  fileprivate var isAboutNoPod: Bool {
    switch self {
    case .podNotFound, .noPod: true
    default: false
    }
  }

  /// Whether a server may be there nevertheless.
  fileprivate var isAboutServer: Bool {
    if case .containerNotFound = self { false } else { true }
  }
}

extension Kubectl {
  /// The pods of the servers that a choice means, and their containers; never none.
  fileprivate func servers(
    _ options: KubernetesOptions
  ) async throws -> (found: [(String, Pod.Container)], unseen: [TargetError]) {
    let pods: [Pod]
    do {
      pods = try await self.pods(options.pod)
    } catch let error as TargetError where error.isAboutNoPod {
      guard let absent = try await absentServer(options) else { throw error }
      if options.allowsStopped { return ([(absent.pod, absent.container)], []) }
      guard absent.statefulSet.scale.held != nil else { throw error }
      throw TargetError.heldByRestore(statefulSet: absent.statefulSet.name)
    }
    var found: [(String, Pod.Container)] = []
    var unseen: [TargetError] = []
    var unfit: TargetError?
    for pod in pods {
      do {
        let container = try await serverContainer(of: pod, named: options.container)
        found.append((pod.metadata.name, container))
      } catch let error as TargetError where error.isAboutOnePod {
        if !pod.hasEnded, error.isAboutServer { unseen.append(error) }
        unfit = unfit ?? error
      }
    }
    guard found.isEmpty, let unfit = unseen.first ?? unfit else { return (found, unseen) }
    if options.allowsStopped, let server = pods.stoppedServer(in: options.container) {
      return ([server], [])
    }
    throw unfit
  }

  /// The pods that a choice means, by name; never none.
  func pods(_ choice: KubernetesOptions.PodChoice) async throws -> [Pod] {
    do {
      switch choice {
      case .name(let name):
        return [try await json(["get", "pod/\(name)"])]
      case .statefulSet(let name):
        // Every pod of a StatefulSet has this label; with it, no right to StatefulSets is needed.
        return try await pods(
          selector: "statefulset.kubernetes.io/pod-name", that: "belongs to StatefulSet \(name)"
        ) { pod in
          pod.metadata.controller?.kind == "StatefulSet" && pod.metadata.controller?.name == name
        }
      case .selector(let selector):
        return try await pods(selector: selector, that: "matches \(selector)")
      }
    } catch let error as TargetError {
      if try await isNamespaceMissing(after: error) {
        throw TargetError.namespaceNotFound(namespace: namespace)
      }
      throw error
    }
  }

  private func pods(
    selector: String, that: String, where isMeant: (Pod) -> Bool = { _ in true }
  ) async throws -> [Pod] {
    let list: ObjectList<Pod>
    do {
      list = try await json(["get", "pods", "--selector=\(selector)"])
    } catch TargetError.commandFailed(_, _, let message)
      where message.contains("(BadRequest)") && message.contains("label selector")
    {
      throw TargetError.notASelector(selector: selector, message: message)
    }
    let pods = list.items.filter(isMeant)
    guard !pods.isEmpty else {
      throw TargetError.noPod(namespace: namespace, that: that)
    }
    return pods.sorted { $0.metadata.name < $1.metadata.name }
  }

  /// The server says "no pod" also when there is no such namespace.
  private func isNamespaceMissing(after error: TargetError) async throws -> Bool {
    switch error {
    case .podNotFound, .noPod: break
    default: return false
    }
    do {
      _ = try await run(["get", "namespace/\(namespace)"])
      return false
    } catch TargetError.namespaceNotFound {
      return true
    } catch is TargetError {
      // Not allowed to look at namespaces: the first error stands.
      return false
    }
  }
}
