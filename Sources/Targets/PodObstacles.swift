extension PodServer {
  /// Returns what in the cluster forbids a restore by deleting the pod.
  public func obstacles(
    processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    let pod = try await pod()
    async let controller = controllerObstacles(pod)
    async let volume = volumeObstacles(pod, dataDirectory: dataDirectory)
    async let node = nodeObstacles(pod)
    return try await controller + volume + node
  }

  private func controllerObstacles(_ pod: Pod) async throws -> [RestoreObstacle] {
    guard let owner = pod.metadata.controller else {
      return [.podWithoutController(pod: container.pod)]
    }
    guard owner.kind == "StatefulSet" else {
      return [.podNameNotKept(controllerKind: owner.kind, controller: owner.name)]
    }
    return try await checked {
      let set: StatefulSet = try await kubectl.json(["get", "statefulset/\(owner.name)"])
      let policy = set.spec.persistentVolumeClaimRetentionPolicy
      var obstacles: [RestoreObstacle] = []
      if policy?.whenDeleted == "Delete" {
        obstacles.append(.claimIsDeleted(controller: owner.name, policy: "whenDeleted"))
      }
      if policy?.whenScaled == "Delete" {
        obstacles.append(.claimIsDeleted(controller: owner.name, policy: "whenScaled"))
      }
      if let count = set.spec.replicas, count != 1 {
        obstacles.append(.replicas(controller: owner.name, count: count))
      }
      return obstacles
    }
  }

  private func volumeObstacles(
    _ pod: Pod, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    guard let volume = pod.volume(of: dataDirectory, in: container.container) else {
      return [.dataNotOnClaim(directory: dataDirectory, kind: "container")]
    }
    guard let claim = volume.claim else {
      return [.dataNotOnClaim(directory: dataDirectory, kind: volume.kind)]
    }
    return try await checked {
      let pods: ObjectList<Pod> = try await kubectl.json(["get", "pods"])
      let others = pods.items.filter { other in
        other.metadata.uid != pod.metadata.uid && other.claims.contains(claim)
          && !["Succeeded", "Failed"].contains(other.status.phase)
      }
      guard !others.isEmpty else { return [] }
      return [.claimIsShared(claim: claim, pods: others.map(\.metadata.name).sorted())]
    }
  }

  private func nodeObstacles(_ pod: Pod) async throws -> [RestoreObstacle] {
    guard let name = pod.spec.nodeName else { return [] }
    do {
      let node: Node = try await kubectl.json(["get", "node/\(name)"])
      let ready = node.status.conditions?.first { $0.type == "Ready" }
      return ready?.status == "True" ? [] : [.nodeNotReady(node: name)]
    } catch TargetError.forbidden {
      // Nodes belong to the cluster; who may restore in a namespace often may not look at them.
      return []
    }
  }

  /// Runs a check; what may not be looked at is an obstacle of its own.
  private func checked(
    _ check: () async throws -> [RestoreObstacle]
  ) async throws -> [RestoreObstacle] {
    do {
      return try await check()
    } catch TargetError.forbidden(let message) {
      return [.notChecked(message: message)]
    }
  }
}

extension Pod {
  /// The volume that a directory of a container is on; nil when it is on none.
  func volume(of directory: String, in container: String) -> Volume? {
    let mounts = spec.containers.first { $0.name == container }?.volumeMounts ?? []
    let holding = mounts.filter { mount in
      let path = mount.mountPath.hasSuffix("/") ? mount.mountPath : mount.mountPath + "/"
      return (directory + "/").hasPrefix(path)
    }
    let innermost = holding.max { $0.mountPath.utf8.count < $1.mountPath.utf8.count }
    return spec.volumes?.first { $0.name == innermost?.name }
  }
}
