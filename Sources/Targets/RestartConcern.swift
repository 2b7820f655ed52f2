/// A fact about the place where a server runs that a user should weigh before a restart.
public enum RestartConcern: Sendable, Equatable {
  /// Somebody else keeps the object as it should be, and may change it meanwhile.
  case managed(object: String, by: ObjectManager)
  /// The image is pulled at each start, so the registry must be reachable.
  case imageAlwaysPulled(image: String)
  /// The node does not list the image, so that it may have to be pulled.
  case imageNotListed(image: String, node: String)
  /// The images of the node may not be looked at.
  case imagesNotSeen(image: String)
  /// The container ended before, at that time (RFC 3339): the kubelet may wait before it starts it again.
  case endedBefore(restarts: Int, at: String)
}

/// Who manages an object of a cluster.
public enum ObjectManager: Sendable, Equatable {
  /// A release of Helm.
  case helm(release: String, namespace: String?)
  /// A chart of Helm that another tool has rendered.
  case chart(instance: String?)
  /// A Kustomization or HelmRelease of Flux.
  case flux(kind: String, name: String, namespace: String?)
  /// An application of Argo CD.
  case argo(application: String)
  /// An operator, by the object that it works for.
  case `operator`(kind: String, name: String)

  /// Reads who manages an object from what its manifest says; several can have a part in it.
  static func all(_ metadata: Metadata) -> [ObjectManager] {
    let labels = metadata.labels ?? [:]
    let annotations = metadata.annotations ?? [:]
    var managers: [ObjectManager] = []
    for (group, kind) in [("kustomize", "kustomization"), ("helm", "helmrelease")] {
      if let name = labels["\(group).toolkit.fluxcd.io/name"] {
        managers.append(
          .flux(kind: kind, name: name, namespace: labels["\(group).toolkit.fluxcd.io/namespace"]))
      }
    }
    let tracked = annotations["argocd.argoproj.io/tracking-id"]?.split(separator: ":").first
    if let application = tracked.map(String.init) ?? labels["argocd.argoproj.io/instance"] {
      managers.append(.argo(application: application))
    }
    if let owner = metadata.controller {
      managers.append(.operator(kind: owner.kind, name: owner.name))
    }
    guard managers.isEmpty else { return managers }
    if let release = annotations["meta.helm.sh/release-name"] {
      return [.helm(release: release, namespace: annotations["meta.helm.sh/release-namespace"])]
    }
    return labels["app.kubernetes.io/managed-by"] == "Helm"
      ? [.chart(instance: labels["app.kubernetes.io/instance"])] : []
  }
}
