extension PodServer {
  /// Returns what in the cluster forbids a restore by that restart.
  public func obstacles(
    to way: RestartWay = .pod, processID: Int, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    let pod = try await pod()
    async let controller = way == .pod ? controllerObstacles(pod) : policyObstacles(pod)
    async let volume = volumeObstacles(pod, way, dataDirectory: dataDirectory)
    async let node = nodeObstacles(pod, way)
    async let deletion = way == .pod ? denials([.init("delete", "pods", container.pod)]) : []
    return try await controller + volume + node + deletion
      + (way == .pod ? hookObstacles(pod) : [])
  }

  /// A command that runs before the server is stopped may have it save the old data over the backup.
  private func hookObstacles(_ pod: Pod) -> [RestoreObstacle] {
    let spec = pod.spec.containers.first { $0.name == container.container }
    guard let command = spec?.lifecycle?.preStop?.exec?.command else { return [] }
    let words = command.count == 3 ? ShellWords.split(command[2]) : command
    let isSleep =
      words.count == 2 && words[0] == "sleep"
      && words[1].allSatisfy { $0.isNumber || $0 == "." }
    if isSleep { return [] }
    return [.preStopHook(container: container.container)]
  }

  private func policyObstacles(_ pod: Pod) -> [RestoreObstacle] {
    // An orderly stop is a success, which OnFailure takes for the end.
    let policy = pod.spec.restartPolicy ?? "Always"
    return policy == "Always" ? [] : [.containerNotRestarted(policy: policy)]
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
      var obstacles = set.claimObstacles(of: owner.name)
      if let count = set.spec.replicas, count != 1 {
        obstacles.append(.replicas(controller: owner.name, count: count))
      }
      return obstacles + templateObstacles(pod, set, of: owner.name)
    }
  }

  /// With another template the next pod may run another server, or the same with other settings.
  func templateObstacles(
    _ pod: Pod, _ set: StatefulSet, of controller: String
  ) -> [RestoreObstacle] {
    let revision = pod.metadata.labels?["controller-revision-hash"]
    guard let revision, let next = set.status?.updateRevision, next != revision else { return [] }
    func image(_ containers: [Pod.Container]?) -> String {
      containers?.first { $0.name == container.container }?.image ?? "no image"
    }
    return [
      .templateChanged(
        controller: controller, image: image(pod.spec.containers),
        nextImage: image(set.spec.template?.spec?.containers))
    ]
  }

  private func volumeObstacles(
    _ pod: Pod, _ way: RestartWay, dataDirectory: String
  ) async throws -> [RestoreObstacle] {
    guard let volume = pod.spec.volume(of: dataDirectory, in: container.container) else {
      return [.dataNotOnClaim(directory: dataDirectory, kind: "container")]
    }
    guard let claim = volume.claim else {
      // Every volume outlives a container of its pod.
      return way == .server ? [] : [.dataNotOnClaim(directory: dataDirectory, kind: volume.kind)]
    }
    return try await checked { try await sharingObstacles([claim]) }
  }

  /// Which pods mount claims beside the server's own and that which stands for it.
  func sharingObstacles(_ claims: [String]) async throws -> [RestoreObstacle] {
    let pods = try await pods(on: claims)
    return claims.compactMap { claim in
      let others = pods.filter { $0.claims.contains(claim) && $0.metadata.name != container.pod }
      guard !others.isEmpty else { return nil }
      return .claimIsShared(claim: claim, pods: others.map(\.metadata.name).sorted())
    }
  }

  /// The pods that mount one of these claims, beside that which stands for the server's.
  func pods(on claims: [String]) async throws -> [Pod] {
    let pods: ObjectList<Pod> = try await kubectl.json(["get", "pods"])
    return pods.items.filter { pod in
      pod.metadata.name != helper.pod && !pod.hasEnded
        && pod.claims.contains(where: claims.contains)
    }
  }

  /// Asks for rights before anything is changed: they are used late in a restore.
  func denials(_ rights: [Right]) async throws -> [RestoreObstacle] {
    try await withThrowingTaskGroup(of: (Int, [RestoreObstacle]).self) { group in
      for (index, right) in rights.enumerated() {
        group.addTask { (index, try await denial(right)) }
      }
      return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        .sorted { $0.key < $1.key }.flatMap(\.value)
    }
  }

  private func denial(_ right: Right) async throws -> [RestoreObstacle] {
    try await checked {
      do {
        let answer = try await kubectl.run(["auth", "can-i"] + right.question)
        if answer.standardOutput.starts(with: Array("yes".utf8)) { return [] }
      } catch TargetError.commandFailed {
        // Exit status 1 is how it says no.
      }
      return [.forbidden(message: right.denial(in: kubectl.namespace))]
    }
  }

  /// What the node of a pod is like; without a pod nothing tells which node it will be.
  func nodeObstacles(_ pod: Pod?, _ way: RestartWay) async throws -> [RestoreObstacle] {
    // Nodes belong to the cluster; who may restore in a namespace often may not look at them.
    guard let pod, let name = pod.spec.nodeName, let node = try await nodeIfAllowed(name) else {
      return []
    }
    let ready = node.status.conditions?.first { $0.type == "Ready" }
    guard ready?.status == "True" else { return [.nodeNotReady(node: name)] }
    guard way == .pod else { return [] }
    if node.spec?.unschedulable == true { return [.nodeUnschedulable(node: name)] }
    let spec = pod.spec.containers.first { $0.name == container.container }
    if let spec, let image = spec.image, spec.imagePullPolicy == "Never",
      (node.status.images ?? []).count < Self.listedImageCount,
      !node.lists(image, as: pod.containerStatus(container.container))
    {
      return [.imageMissing(image: image, node: name)]
    }
    return []
  }

  /// Runs a check; what may not be looked at is an obstacle of its own.
  func checked(
    _ check: () async throws -> [RestoreObstacle]
  ) async throws -> [RestoreObstacle] {
    do {
      return try await check()
    } catch TargetError.forbidden(let message) {
      return [.forbidden(message: message)]
    }
  }
}

extension StatefulSet {
  /// Claims that would go with the set, or with its pods.
  func claimObstacles(of name: String) -> [RestoreObstacle] {
    let policy = spec.persistentVolumeClaimRetentionPolicy
    return [("whenDeleted", policy?.whenDeleted), ("whenScaled", policy?.whenScaled)]
      .filter { $0.1 == "Delete" }.map { .claimIsDeleted(controller: name, policy: $0.0) }
  }
}

extension Pod.Spec {
  /// The volume that a directory of a container is on; nil when it is on none.
  func volume(of directory: String, in container: String) -> Volume? {
    let mounts = containers.first { $0.name == container }?.volumeMounts ?? []
    let holding = mounts.filter { mount in
      let path = mount.mountPath.hasSuffix("/") ? mount.mountPath : mount.mountPath + "/"
      return (directory + "/").hasPrefix(path)
    }
    let innermost = holding.max { $0.mountPath.utf8.count < $1.mountPath.utf8.count }
    return volumes?.first { $0.name == innermost?.name }
  }
}
