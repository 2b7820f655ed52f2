import FoundationEssentials
import RawJSON

/// Which server is meant where none runs.
extension [Pod] {
  /// The only one of these pods that may run again, and the container of it that the server must be in; nil
  /// where that cannot be told.
  func stoppedServer(in container: String?) -> (String, Pod.Container)? {
    let pods = count == 1 ? self : filter { !$0.hasEnded }
    let servers = pods.compactMap { pod in
      pod.stoppedServer(in: container).map { (pod.metadata.name, $0) }
    }
    return servers.count == 1 ? servers.first : nil
  }
}

extension Pod {
  fileprivate func stoppedServer(in name: String?) -> Container? {
    if let container = spec.server(named: name) { return container }
    guard name == nil else { return nil }
    // Those that run were looked into.
    let stopped = spec.containers.filter { containerStatus($0.name)?.state?.running == nil }
    return stopped.count == 1 ? stopped.first : nil
  }
}

/// A server that has no pod at the moment.
struct AbsentServer {
  /// The StatefulSet that would have the pod.
  let statefulSet: HeldSet
  /// The container of the server in that pod.
  let container: Pod.Container

  /// The name of that pod.
  var pod: String { statefulSet.firstPod }
}

extension Kubectl {
  /// The server in the pod that a StatefulSet of one, or of none, would have.
  ///
  /// - Returns: Nil where no such set is meant, or may be looked at, or several are.
  func absentServer(_ options: KubernetesOptions) async throws -> AbsentServer? {
    let sets: [HeldSet]
    do {
      sets = try await statefulSets(options.pod)
    } catch TargetError.forbidden, TargetError.commandFailed {
      // That there is no pod is what is known.
      return nil
    }
    let servers = sets.filter { $0.scale.replicas <= 1 }.compactMap { set in
      set.object.spec.template?.spec?.server(named: options.container).map {
        AbsentServer(statefulSet: set, container: $0)
      }
    }
    return servers.count == 1 ? servers.first : nil
  }

  private func statefulSets(_ choice: KubernetesOptions.PodChoice) async throws -> [HeldSet] {
    switch choice {
    case .name(let pod):
      guard let name = pod.statefulSet else { return [] }
      let set: HeldSet = try await json(["get", "statefulset/\(name)"])
      return set.firstPod == pod ? [set] : []
    case .statefulSet(let name):
      return [try await json(["get", "statefulset/\(name)"])]
    case .selector(let selector):
      let sets: ObjectList<HeldSet> = try await json(["get", "statefulsets"])
      let names = try await firstPods(of: sets.items, thatMatch: selector)
      return sets.items.filter { names.contains($0.firstPod) }
    }
  }

  /// What a selector says of pods that are not there, kubectl tells by itself.
  private func firstPods(of sets: [HeldSet], thatMatch selector: String) async throws -> [String] {
    let pods = JSONValue.object([
      "apiVersion": .string("v1"), "kind": .string("List"),
      "items": .array(sets.map(\.firstPodOutline)),
    ])
    let output = try await run(
      [
        "create", "--filename=-", "--dry-run=client", "--validate=false", "--output=name",
        "--selector=\(selector)",
      ], input: Array(try JSONEncoder().encode(pods)))
    return String(decoding: output.standardOutput, as: UTF8.self).split(separator: "\n")
      .compactMap { $0.split(separator: "/").last.map(String.init) }
  }
}

extension HeldSet {
  /// The name of its pod, where it has one only.
  var firstPod: String {
    var ordinal: Int64 = 0
    if case .integer(let start)? = document["spec"]?["ordinals"]?["start"] { ordinal = start }
    return "\(name)-\(ordinal)"
  }

  /// As much of that pod as a selector looks at.
  fileprivate var firstPodOutline: JSONValue {
    let labels = document["spec"]?["template"]?["metadata"]?["labels"] ?? .object([:])
    return .object([
      "apiVersion": .string("v1"), "kind": .string("Pod"),
      "metadata": .object(["name": .string(firstPod), "labels": labels]),
    ])
  }
}
