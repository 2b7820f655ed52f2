extension PodServer {
  /// A kubelet lists so many images by default, the largest.
  static let listedImageCount = 50

  /// Returns what should be known before a restart; empty when nothing.
  public func concerns(about way: RestartWay) async throws -> [RestartConcern] {
    let pod = try await pod(ifThere: container.pod)
    let managers = try await managers(of: pod)
    guard let pod else { return managers }
    return try await managers + imageConcerns(pod, way) + earlierEnd(of: pod, way)
  }

  private func managers(of pod: Pod?) async throws -> [RestartConcern] {
    do {
      guard let set = try await statefulSet(of: pod) else { return [] }
      return set.object.metadata.map(ObjectManager.all)?.map {
        .managed(object: "statefulset/\(set.name)", by: $0)
      } ?? []
    } catch TargetError.forbidden {
      // Where the pod would be deleted that is an obstacle already.
      return []
    }
  }

  private func imageConcerns(_ pod: Pod, _ way: RestartWay) async throws -> [RestartConcern] {
    guard let spec = pod.spec.containers.first(where: { $0.name == container.container }),
      let image = spec.image
    else { return [] }
    // The kubelet asks the registry before it starts a container again too.
    if spec.imagePullPolicy == "Always" { return [.imageAlwaysPulled(image: image)] }
    guard way == .pod, let name = pod.spec.nodeName else { return [] }
    guard let node = try await nodeIfAllowed(name) else { return [.imagesNotSeen(image: image)] }
    return node.lists(image, as: pod.containerStatus(container.container))
      ? [] : [.imageNotListed(image: image, node: name)]
  }

  private func earlierEnd(of pod: Pod, _ way: RestartWay) -> [RestartConcern] {
    guard way == .server, let status = pod.containerStatus(container.container),
      let restarts = status.restartCount, restarts > 0,
      let time = status.lastState?.terminated?.finishedAt
    else { return [] }
    return [.endedBefore(restarts: restarts, at: time)]
  }

  /// Nil where this user may not look at nodes.
  func nodeIfAllowed(_ name: String) async throws -> Node? {
    do {
      return try await kubectl.json(["get", "node/\(name)"])
    } catch TargetError.forbidden {
      return nil
    }
  }
}

extension Node {
  /// Whether the image of a container is among those that the node lists.
  func lists(_ image: String, as status: Pod.ContainerStatus?) -> Bool {
    let names = Set(
      ([image, status?.image, status?.imageID].compactMap(\.self)).flatMap { name in
        // What has no registry in its name comes from that of Docker.
        let plain = name.contains(":") || name.contains("@") ? name : name + ":latest"
        return [plain, "docker.io/" + plain, "docker.io/library/" + plain]
      })
    return (self.status.images ?? []).contains { listed in
      (listed.names ?? []).contains { names.contains($0) }
    }
  }
}
