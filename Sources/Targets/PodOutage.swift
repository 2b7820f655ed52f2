extension PodServer {
  /// Returns whether the kubelet has to start the container again and again, or the StatefulSet has no replicas.
  ///
  /// A container that runs, or that nothing has ended, is no outage, whether it answers or not.
  public func outage(dataDirectory: String?, timeout: Duration) async throws -> ServerOutage? {
    let deadline = ContinuousClock.now + timeout
    while true {
      let pod = try await pod(ifThere: container.pod)
      if let set = try await statefulSetIfAllowed(of: pod), set.scale.replicas == 0 {
        return .scaledDown(controller: set.name, replicas: set.scale.held)
      }
      if let status = pod?.containerStatus(container.container),
        status.state?.waiting?.reason == "CrashLoopBackOff"
      {
        return .crashing(pod: container.pod, reason: status.text)
      }
      guard pod.map({ $0.isBetweenEnds(container.container) }) ?? true,
        ContinuousClock.now < deadline
      else { return nil }
      try await Task.sleep(for: Self.interval)
    }
  }

  private func statefulSetIfAllowed(of pod: Pod?) async throws -> HeldSet? {
    do {
      return try await statefulSet(of: pod)
    } catch TargetError.forbidden {
      return nil
    }
  }
}

extension Pod {
  /// Whether a container has ended, and may soon end again.
  fileprivate func isBetweenEnds(_ container: String) -> Bool {
    guard metadata.deletionTimestamp == nil else { return true }
    guard let status = containerStatus(container) else { return false }
    if status.state?.terminated != nil { return true }
    guard status.state?.running != nil, status.restartCount ?? 0 > 0 else { return false }
    // Without a probe a container is ready as soon as it runs, and that says nothing.
    let isProbed = spec.containers.first { $0.name == container }?.readinessProbe != nil
    return !isProbed || condition("Ready")?.status != "True"
  }
}
