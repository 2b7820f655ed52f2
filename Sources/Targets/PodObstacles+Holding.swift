extension PodServer {
  /// Returns what in the cluster forbids that the StatefulSet is scaled down and another pod has its volume.
  public func obstaclesToHolding(dataDirectory: String?) async throws -> [RestoreObstacle] {
    let pod = try await pod(ifThere: container.pod)
    do {
      if let set = try await statefulSet(of: pod) {
        return try await obstacles(to: set, pod, dataDirectory: dataDirectory)
      }
    } catch TargetError.forbidden(let message) {
      return [.forbidden(message: message)]
    }
    guard let owner = pod?.metadata.controller, owner.kind != "StatefulSet" else {
      return [.podWithoutController(pod: container.pod)]
    }
    return [.podNameNotKept(controllerKind: owner.kind, controller: owner.name)]
  }

  private func obstacles(
    to set: HeldSet, _ pod: Pod?, dataDirectory: String?
  ) async throws -> [RestoreObstacle] {
    var found = set.object.claimObstacles(of: set.name)
    let replicas = set.scale.down.held ?? 0
    if replicas > 1 { found.append(.replicas(controller: set.name, count: replicas)) }
    async let volume = claimObstacles(set, dataDirectory: dataDirectory)
    async let node = nodeObstacles(pod, .pod)
    async let rights = denials(rightsToHolding(set.name))
    return try await found + volume + node + rights
  }

  private func claimObstacles(
    _ set: HeldSet, dataDirectory: String?
  ) async throws -> [RestoreObstacle] {
    guard let spec = set.spec(ofPod: container.pod) else { return [] }
    let claims: [String]
    if let dataDirectory {
      let volume = spec.volume(of: dataDirectory, in: container.container)
      guard let claim = volume?.claim else {
        return [.dataNotOnClaim(directory: dataDirectory, kind: volume?.kind ?? "container")]
      }
      claims = [claim]
    } else {
      claims = spec.claimMounts(of: container.container).map(\.claim)
      if claims.isEmpty { return [.dataNotOnClaim(directory: "/", kind: "container")] }
    }
    return try await checked { try await sharingObstacles(claims) }
  }

  private func rightsToHolding(_ set: String) -> [Right] {
    [
      Right("patch", "statefulsets.apps", set),
      Right("create", "pods"),
      Right("get", "pods", helper.pod),
      Right("delete", "pods", helper.pod),
      Right("create", "pods/exec", helper.pod),
    ]
  }
}
