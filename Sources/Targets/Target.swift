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

  /// A server in a pod.
  ///
  /// - Throws: ``TargetError`` when there is no such pod or container, or it does not run.
  public static func kubernetes(_ options: KubernetesOptions) async throws -> Target {
    let kubectl = Kubectl(
      executable: options.kubectl, kubeconfig: options.kubeconfig, context: options.context,
      namespace: options.namespace)
    async let context = kubectl.currentContext()
    let pod = try await kubectl.pod(options.pod)
    let container = try pod.runningContainer(options.container)
    let place = PodContainer(pod: pod.metadata.name, container: container.name)
    return Target(
      source: TargetSource(
        target: .kubernetes, context: try await context, namespace: options.namespace,
        pod: place.pod, container: place.container, image: container.image),
      volume: PodVolume(kubectl: kubectl, container: place, transport: options.transport),
      control: PodServer(
        kubectl: kubectl, container: place, port: options.port,
        memoryLimitByteCount: container.memoryLimitByteCount,
        startArguments: (container.command ?? []) + (container.args ?? [])))
  }
}

extension Kubectl {
  /// The pod that a choice names.
  func pod(_ choice: KubernetesOptions.PodChoice) async throws -> Pod {
    do {
      switch choice {
      case .name(let name):
        return try await json(["get", "pod/\(name)"])
      case .selector(let selector):
        let pods: ObjectList<Pod> = try await json(["get", "pods", "--selector=\(selector)"])
        let living = pods.items.filter { $0.metadata.deletionTimestamp == nil }
        guard let pod = living.first, living.count == 1 else {
          throw TargetError.podNotUnique(
            namespace: namespace, selector: selector, pods: living.map(\.metadata.name).sorted())
        }
        return pod
      }
    } catch let error as TargetError {
      if try await isNamespaceMissing(after: error) {
        throw TargetError.namespaceNotFound(namespace: namespace)
      }
      throw error
    }
  }

  /// The server says "no pod" also when there is no such namespace.
  private func isNamespaceMissing(after error: TargetError) async throws -> Bool {
    switch error {
    case .podNotFound, .podNotUnique: break
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

extension Pod {
  /// The container of this name, or the one that a Redis is in, if it runs.
  func runningContainer(_ name: String?) throws(TargetError) -> Container {
    let names = spec.containers.map(\.name)
    let chosen: String? =
      if let name {
        names.first { $0 == name }
      } else {
        names.first { $0 == "redis" } ?? names.first { $0 == "valkey" }
          ?? (names.count == 1 ? names.first : nil)
      }
    guard let container = spec.containers.first(where: { $0.name == chosen }) else {
      throw .containerNotFound(container: name, pod: metadata.name, available: names)
    }
    guard metadata.deletionTimestamp == nil else {
      throw .podNotRunning(pod: metadata.name, reason: "terminating")
    }
    let state = containerStatus(container.name)?.state
    guard status.phase == "Running", state?.running != nil else {
      let reason = state?.waiting?.reason ?? state?.terminated?.reason ?? status.phase
      throw .podNotRunning(pod: metadata.name, reason: reason ?? "no status")
    }
    return container
  }
}

extension Pod.Container {
  /// The memory limit; nil when there is none.
  var memoryLimitByteCount: UInt64? {
    resources?.limits?["memory"].flatMap(Quantity.byteCount)
  }
}
