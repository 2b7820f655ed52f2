/// Which container of a pod the server runs in.
extension Kubectl {
  /// The container of this name, else the only one, the one that is named after a server, or the one in
  /// which a server runs; if it runs.
  func serverContainer(of pod: Pod, named name: String?) async throws -> Pod.Container {
    if let container = pod.spec.server(named: name) { return try pod.running(container) }
    if let name {
      throw TargetError.containerNotFound(
        container: name, pod: pod.metadata.name, available: pod.spec.containers.map(\.name))
    }
    return try await searchedContainer(of: pod)
  }

  private func searchedContainer(of pod: Pod) async throws -> Pod.Container {
    try pod.checkRunning()
    var found: [Pod.Container] = []
    for container in pod.spec.containers
    where pod.containerStatus(container.name)?.state?.running != nil {
      if try await runsServer(in: PodContainer(pod: pod.metadata.name, container: container.name)) {
        found.append(container)
      }
    }
    guard let container = found.first else {
      if let stopped = pod.spec.containers.first(where: { container in
        pod.containerStatus(container.name).map { $0.state?.running == nil } ?? false
      }) {
        // It may be the one with the server.
        return try pod.running(stopped)
      }
      throw TargetError.containerNotFound(
        container: nil, pod: pod.metadata.name, available: pod.spec.containers.map(\.name))
    }
    guard found.count == 1 else {
      throw TargetError.containerNotUnique(
        pod: pod.metadata.name, containers: found.map(\.name))
    }
    return container
  }

  private func runsServer(in place: PodContainer) async throws -> Bool {
    do {
      return try await runningServers(in: place).contains("server")
    } catch TargetError.toolMissingInContainer, TargetError.commandFailed {
      // A container without a shell is no server that could be backed up by its files.
      return false
    }
  }

  /// `server` or `sentinel` for each process in a container that is one.
  func runningServers(in place: PodContainer) async throws -> [String] {
    let (output, ending) = try await execute(PodScript.findServers.command([]), in: place)
    guard ending.status == 0 else { throw failure(ending, of: "kubectl exec", at: place) }
    return String(decoding: try PodVolume.answer(output), as: UTF8.self)
      .split(separator: "\n").map(String.init)
  }
}

extension Pod {
  /// A container, if it runs.
  fileprivate func running(_ container: Container) throws(TargetError) -> Container {
    try checkRunning(containerStatus(container.name))
    guard containerStatus(container.name)?.state?.running != nil else {
      throw .podNotRunning(pod: metadata.name, reason: reason(containerStatus(container.name)))
    }
    return container
  }

  /// - Parameter status: Of the container that tells more than the pod.
  fileprivate func checkRunning(_ status: ContainerStatus? = nil) throws(TargetError) {
    guard metadata.deletionTimestamp == nil else {
      throw .podNotRunning(pod: metadata.name, reason: "terminating")
    }
    guard self.status.phase == "Running" else {
      throw .podNotRunning(pod: metadata.name, reason: reason(status))
    }
  }

  private func reason(_ status: ContainerStatus?) -> String {
    status?.state?.waiting?.reason ?? status?.state?.terminated?.reason ?? self.status.phase
      ?? "no status"
  }
}

extension Pod.Spec {
  /// The container of this name, else the one that is named after a server, or the only one.
  func server(named name: String?) -> Pod.Container? {
    if let name { return containers.first { $0.name == name } }
    let usual = ["redis", "valkey"].compactMap { name in containers.first { $0.name == name } }
    return usual.first ?? (containers.count == 1 ? containers.first : nil)
  }
}

extension Pod.Container {
  /// The memory limit; nil when there is none.
  var memoryLimitByteCount: UInt64? {
    resources?.limits?["memory"].flatMap(Quantity.byteCount)
  }
}
