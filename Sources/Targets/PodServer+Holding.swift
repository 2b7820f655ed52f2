import FoundationEssentials
import RawJSON

extension PodServer {
  /// The pod that stands for the server's while that is held, and the container in it.
  var helper: PodContainer {
    PodContainer(pod: "\(container.pod)-restore", container: container.container)
  }

  /// Scales the StatefulSet to nothing, and has a pod mount the volumes of its pod.
  ///
  /// The scale-down stops a server that runs, with SIGTERM.
  public func hold(
    dataDirectory: String?, stopping server: RunningServer?, timeout: Duration
  ) async throws -> HeldFiles {
    var before: Scale?
    do {
      let set = try await rescale { set in
        before = nil
        if let holder = set.holder, holder.isOtherAtWork {
          throw TargetError.restoreAtWork(processID: holder.processID ?? 0)
        }
        if server == nil, set.scale.replicas > 0 { try await checkStopped(within: timeout) }
        before = set.scale
        return set.scale.down
      }
      try await wait(timeout: timeout) { $0 == nil ? .done : .waiting("not deleted") }
      try await makeHelper(for: set, timeout: timeout)
      let mounts = set.spec(ofPod: container.pod)?.claimMounts(of: container.container) ?? []
      return HeldFiles(
        volume: PodVolume(kubectl: kubectl, container: helper),
        directories: dataDirectory.map { [$0] } ?? mounts.map(\.directory))
    } catch {
      if let before { await undo(to: before, timeout: timeout) }
      throw error
    }
  }

  /// Looks whether the StatefulSet still has no replicas, and no other pod the volume.
  public func confirmHold(dataDirectory: String) async throws {
    let set = try await heldSet()
    guard set.scale.replicas == 0 else { throw TargetError.serverRuns("pod \(container.pod)") }
    let volume = set.spec(ofPod: container.pod)?.volume(
      of: dataDirectory, in: container.container)
    if let other = try await pods(on: volume?.claim.map { [$0] } ?? []).first {
      throw TargetError.serverRuns("pod \(other.metadata.name)")
    }
  }

  /// Deletes the pod that stands for the server's, then puts the replicas back.
  ///
  /// Where there is neither, nothing is done.
  public func release(startsServer: Bool, timeout: Duration) async throws {
    try await removeHelper(timeout: timeout)
    try await insistently(for: timeout) {
      guard try await statefulSet(of: pod(ifThere: container.pod)) != nil else { return }
      _ = try await rescale { $0.scale.up(startsServer: startsServer) }
    }
  }

  // MARK: - The StatefulSet

  /// The StatefulSet that a pod belongs to, or would if it were there; nil where that is none.
  func statefulSet(of pod: Pod?) async throws -> HeldSet? {
    var name: String?
    if let pod {
      name = pod.metadata.controller.flatMap { $0.kind == "StatefulSet" ? $0.name : nil }
    } else {
      name = container.pod.statefulSet
    }
    guard let name else { return nil }
    do {
      return try await kubectl.json(["get", "statefulset/\(name)"])
    } catch TargetError.commandFailed(_, _, let message) where message.contains("(NotFound)") {
      return nil
    }
  }

  private func heldSet() async throws -> HeldSet {
    guard let set = try await statefulSet(of: pod(ifThere: container.pod)) else {
      throw TargetError.podDidNotComeBack(reason: "no StatefulSet has pod \(container.pod)")
    }
    return set
  }

  /// Changes the scale of the StatefulSet, if it is still what the change was made of.
  ///
  /// - Returns: The set before.
  private func rescale(_ change: (HeldSet) async throws -> Scale) async throws -> HeldSet {
    var attempt = 1
    while true {
      let set = try await heldSet()
      let scale = try await change(set)
      guard scale != set.scale else { return set }
      do {
        _ = try await kubectl.run([
          "patch", "statefulset/\(set.name)", "--type=merge", "--patch=\(set.patch(to: scale))",
        ])
        return set
      } catch TargetError.commandFailed(_, _, let message)
        where message.contains("(Conflict)") && attempt < 5
      {
        // Its pods have come or gone meanwhile: the change may have to be another.
        attempt += 1
      }
    }
  }

  private func checkStopped(within timeout: Duration) async throws {
    guard try await outage(dataDirectory: nil, timeout: timeout) == nil,
      let pod = try await pod(ifThere: container.pod),
      pod.containerStatus(container.container)?.state?.running != nil
    else { return }
    throw TargetError.serverRuns("pod \(container.pod)")
  }

  /// Ends what a hold has begun: its failure, or the end of its task, is what the caller hears of.
  private func undo(to before: Scale, timeout: Duration) async {
    await Task {
      do {
        try await removeHelper(timeout: timeout)
      } catch {
        // The server can run beside it.
      }
      do {
        try await insistently(for: timeout) {
          _ = try await rescale { $0.scale == before.down ? before : $0.scale }
        }
      } catch {
        // The note stays for the next run.
      }
    }.value
  }

  /// Repeats what a cluster that is busy for a moment does not take.
  private func insistently<R: Sendable>(
    for timeout: Duration, _ body: () async throws -> R
  ) async throws -> R {
    let deadline = ContinuousClock.now + timeout
    while true {
      do {
        return try await body()
      } catch let error as TargetError where error.isPassing && ContinuousClock.now < deadline {
        try await Task.sleep(for: Self.interval)
      }
    }
  }

  // MARK: - The helper

  private func makeHelper(for set: HeldSet, timeout: Duration) async throws {
    guard let pod = set.helperPod(helper, for: container.pod, image: helperImage) else {
      throw TargetError.containerNotFound(
        container: container.container, pod: container.pod, available: [])
    }
    // One that a killed run has left may be of another template, or have another image.
    try await removeHelper(timeout: timeout)
    _ = try await kubectl.run(
      ["create", "--filename=-", "--validate=false"], input: Array(try JSONEncoder().encode(pod)))
    do {
      try await wait(for: helper.pod, timeout: timeout) { pod in
        guard let pod else { return .failed("pod \(helper.pod) was deleted") }
        if let ended = pod.containerStatus(helper.container)?.state?.terminated {
          let parts = [ended.reason, ended.message].compactMap(\.self)
          return .failed(parts.joined(separator: ": "))
        }
        return progress(of: pod)
      }
    } catch TargetError.podDidNotComeBack(let reason) {
      if let tool = reason.missingTool {
        throw TargetError.toolMissingInContainer(name: tool, container: helper.container)
      }
      throw TargetError.podDidNotComeBack(reason: reason)
    }
  }

  /// Deletes the helper, if it is there, and waits until its volumes are free.
  private func removeHelper(timeout: Duration) async throws {
    guard try await insistently(for: timeout, { try await pod(ifThere: helper.pod) }) != nil else {
      return
    }
    try await insistently(for: timeout) {
      _ = try await kubectl.run([
        "delete", "pod/\(helper.pod)", "--wait=false", "--ignore-not-found",
      ])
    }
    try await wait(for: helper.pod, timeout: timeout) {
      $0 == nil ? .done : .waiting("not deleted")
    }
  }
}

extension TargetError {
  /// Whether the same may be taken a moment later.
  fileprivate var isPassing: Bool {
    switch self {
    case .clusterUnreachable, .stalled: true
    default: false
    }
  }
}

extension String {
  /// The StatefulSet that a pod of this name would belong to; nil where that is none.
  var statefulSet: String? {
    guard let dash = lastIndex(of: "-"), let ordinal = Int(self[index(after: dash)...]) else {
      return nil
    }
    return ordinal < 0 ? nil : String(self[..<dash])
  }
}
