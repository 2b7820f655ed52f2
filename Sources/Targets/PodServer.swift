/// A server in a container of a pod.
public struct PodServer: ServerControl {
  /// How often the pod is looked at while it is waited for.
  static let interval = Duration.milliseconds(500)
  /// How long a pod may be in a state that comes right by itself or not at all: no node, while the
  /// scheduler still counts the old pod; a Secret that the kubelet has not fetched yet.
  private static let troubleTolerance = Duration.seconds(20)

  /// A kubelet waits up to five minutes before it starts a container that has ended several times.
  private static let longestBackOff = Duration.seconds(330)

  /// How the cluster is called.
  public let kubectl: Kubectl
  /// The container that the server runs in.
  public let container: PodContainer
  /// The port that the server listens on in the pod.
  public let port: Int
  /// The memory limit of the container, nil for none.
  public let memoryLimitByteCount: UInt64?
  /// The command and arguments of the container, as its manifest has them.
  public let startArguments: [String]
  /// Whether pods can be reached by their addresses from here.
  let isInSameCluster: Bool
  /// How long a pod that does not change is waited for at least: its volume may have to follow it to
  /// another node, and nothing can be undone without a pod.
  let returnPatience: Duration
  /// The image of the pod that reaches the files while the server is held; nil for the server's own.
  let helperImage: String?

  /// Creates the control of a server.
  ///
  /// - Parameters:
  ///   - memoryLimitByteCount: The limit of the container, as in ``Target/kubernetes(_:)``.
  ///   - isInSameCluster: Whether pods can be reached by their addresses from here.
  ///   - returnPatience: How long a pod that does not change is waited for at least.
  ///   - helperImage: Of the pod that reaches the files while the server is held; nil for the server's own.
  public init(
    kubectl: Kubectl, container: PodContainer, port: Int, memoryLimitByteCount: UInt64?,
    startArguments: [String] = [], isInSameCluster: Bool = false,
    returnPatience: Duration = .seconds(300), helperImage: String? = nil
  ) {
    self.kubectl = kubectl
    self.container = container
    self.port = port
    self.memoryLimitByteCount = memoryLimitByteCount
    self.startArguments = startArguments
    self.isInSameCluster = isInSameCluster
    self.returnPatience = returnPatience
    self.helperImage = helperImage
  }

  /// Runs a body with the pod's own address, or while its port is forwarded to this host.
  public nonisolated(nonsending) func withAddress<R: Sendable>(
    _ body: nonisolated(nonsending) (ServerAddress) async throws -> R
  ) async throws -> R {
    guard isInSameCluster else {
      return try await kubectl.withPortForward(to: container.pod, port: port, body)
    }
    // A pod that was started again has another address.
    guard let host = try await pod().status.podIP else {
      throw TargetError.podNotRunning(pod: container.pod, reason: "it has no address")
    }
    return try await body(ServerAddress(host: host, port: port))
  }

  /// Restarts the server by its pod or in it, and waits until the container has been started.
  ///
  /// The deletion of the pod stops the server with SIGTERM, without `stop`. What will not come right by
  /// waiting (no image, a container that exits again and again, no node) ends the wait at once.
  public func restart(
    by way: RestartWay = .pod, processID: Int,
    stopping stop: @escaping @Sendable () async throws -> Void, timeout: Duration
  ) async throws {
    let old = try await pod()
    if way == .server {
      let restarts = old.containerStatus(container.container)?.restartCount ?? 0
      try await stop()
      return try await wait(timeout: max(timeout, Self.longestBackOff)) { pod in
        guard let pod else { return .waiting("no pod") }
        return pod.metadata.uid == old.metadata.uid
          ? progress(of: pod, after: restarts) : progress(of: pod)
      }
    }
    _ = try await kubectl.run(["delete", "pod/\(container.pod)", "--wait=false"])
    try await wait(timeout: timeout) { pod in
      guard let pod, pod.metadata.uid != old.metadata.uid else { return .waiting("not deleted") }
      return progress(of: pod)
    }
  }

  /// Waits until the container runs: the cluster starts it by itself.
  public func start(timeout: Duration) async throws {
    try await wait(timeout: timeout) { pod in pod.map(progress(of:)) ?? .waiting("no pod") }
  }

  /// Waits until the pod is ready; ends early for what will not come right by waiting.
  ///
  /// - Parameter timeout: The longest wait without a change of the pod.
  public func waitUntilReady(timeout: Duration) async throws {
    try await wait(timeout: timeout) { pod in
      guard let pod else { return .waiting("no pod") }
      if pod.metadata.deletionTimestamp == nil, pod.condition("Ready")?.status == "True" {
        return .done
      }
      let progress = progress(of: pod)
      return progress == .done ? .waiting("not ready") : progress
    }
  }

  /// Looks at the processes in the container.
  public func isSentinel() async throws -> Bool {
    do {
      let found = try await kubectl.runningServers(in: container)
      return !found.isEmpty && !found.contains("server")
    } catch is TargetError {
      return false
    }
  }

  func pod() async throws -> Pod {
    try await kubectl.json(["get", "pod/\(container.pod)"])
  }

  /// What a look at the pod says about the wait for it.
  enum Progress: Equatable {
    case done
    case waiting(String)
    /// Will not come right by waiting.
    case failed(String)
    /// Will not come right by waiting, if it is still so after a while.
    case troubled(String)
  }

  /// How far the start of a container has come.
  func progress(of pod: Pod) -> Progress {
    if pod.metadata.deletionTimestamp != nil { return .waiting("terminating") }
    if let condition = pod.condition("PodScheduled"), condition.status == "False" {
      let reason = condition.reason ?? "not scheduled"
      let text = [reason, condition.message].compactMap(\.self).joined(separator: ": ")
      return reason == "Unschedulable" ? .troubled(text) : .waiting(text)
    }
    for status in pod.status.initContainerStatuses ?? [] {
      if let waiting = status.state?.waiting, Self.hopeless.contains(waiting.reason ?? "") {
        return .failed("init container \(status.name): \(status.text)")
      }
    }
    guard let status = pod.containerStatus(container.container) else {
      return .waiting(pod.status.phase ?? "no status")
    }
    if status.state?.running != nil { return .done }
    let reason = status.state?.waiting?.reason ?? ""
    if Self.hopeless.contains(reason) { return .failed(status.text) }
    return Self.passing.contains(reason) ? .troubled(status.text) : .waiting(status.text)
  }

  /// How far the start of a container in the same pod has come that had been restarted so often before.
  private func progress(of pod: Pod, after restarts: Int) -> Progress {
    let status = pod.containerStatus(container.container)
    guard (status?.restartCount ?? 0) <= restarts else { return progress(of: pod) }
    // A back-off before that start is about the ends before, and passes.
    return .waiting(status?.state?.running == nil ? status?.text ?? "no status" : "not stopped")
  }

  /// Reasons of waiting containers that only a change of the pod ends.
  private static let hopeless: Set<String> = [
    "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CrashLoopBackOff",
  ]

  /// Reasons that a kubelet under load gives for a moment, such as a Secret that it has not fetched yet.
  private static let passing: Set<String> = [
    "CreateContainerConfigError", "CreateContainerError", "RunContainerError",
  ]

  /// Looks at the server's pod, or another, until a look is enough, or nothing has changed for the timeout or
  /// the patience with a pod, whichever is longer.
  func wait(
    for name: String? = nil, timeout: Duration, until look: (Pod?) -> Progress
  ) async throws {
    var lastPod: Pod?
    var lastChange = ContinuousClock.now
    var troubledSince: ContinuousClock.Instant?
    var reason = "nothing heard of it"
    while true {
      do {
        let pod = try await pod(ifThere: name ?? container.pod)
        if pod != lastPod {
          lastPod = pod
          lastChange = .now
        }
        switch look(pod) {
        case .done: return
        case .failed(let text): throw TargetError.podDidNotComeBack(reason: text)
        case .troubled(let text):
          reason = text
          let since = troubledSince ?? .now
          troubledSince = since
          if ContinuousClock.now - since > Self.troubleTolerance {
            throw TargetError.podDidNotComeBack(reason: text)
          }
        case .waiting(let text):
          reason = text
          troubledSince = nil
        }
      } catch TargetError.clusterUnreachable(let message) {
        // The order is given; a cluster that is busy for a moment is no reason to give up.
        reason = message
      } catch TargetError.stalled {
        reason = "the cluster does not answer"
      }
      guard ContinuousClock.now - lastChange < max(timeout, returnPatience) else {
        throw TargetError.podDidNotComeBack(reason: reason)
      }
      try await Task.sleep(for: Self.interval)
    }
  }

  func pod(ifThere name: String) async throws -> Pod? {
    do {
      return try await kubectl.json(["get", "pod/\(name)"])
    } catch TargetError.podNotFound {
      return nil
    }
  }
}

extension Pod.ContainerStatus {
  /// Why the container waits, and how it ended before.
  var text: String {
    let exitCode = (state?.terminated ?? lastState?.terminated)?.exitCode
    let exit = exitCode.map { "exited with status \($0)" }
    let parts = [state?.waiting?.reason, exit, state?.waiting?.message].compactMap(\.self)
    return parts.isEmpty ? "no state" : parts.joined(separator: ": ")
  }
}
