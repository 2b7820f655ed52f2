import RawJSON

extension HeldSet {
  /// The manifest of a pod that stands for one of the set's while that does not run: the same volumes, the
  /// same user, the same choice of nodes, and nothing that runs in it.
  ///
  /// - Parameters:
  ///   - place: The pod to be made, and the container of the set's pods that it has.
  ///   - pod: The pod of the set that it stands for.
  ///   - image: Nil for the image of that container.
  /// - Returns: Nil where the set has no such container.
  func helperPod(_ place: PodContainer, for pod: String, image: String?) -> JSONValue? {
    guard let template = document["spec"]?["template"]?["spec"],
      let server = template["containers"]?.elements.first(where: {
        $0["name"]?.text == place.container
      })
    else { return nil }
    var spec = template.members(Self.keptOfPod)
    spec["volumes"] = .array(volumes(of: template, for: pod))
    spec["containers"] = .array([Self.idle(server, image: image)])
    spec["automountServiceAccountToken"] = .bool(false)
    spec["restartPolicy"] = .string("Never")
    spec["terminationGracePeriodSeconds"] = .integer(1)
    spec["activeDeadlineSeconds"] = .integer(86400)
    if let nodes = template["affinity"]?["nodeAffinity"] {
      spec["affinity"] = .object(["nodeAffinity": nodes])
    }
    let metadata: [String: JSONValue] = [
      "name": .string(place.pod),
      // Labels of the set would make it a pod of its Services.
      "labels": .object(["app.kubernetes.io/managed-by": .string("raibid-backup")]),
      "annotations": .object([
        "raibid-backup/helper":
          .string("reaches the files of pod \(pod) for a restore, and goes with it")
      ]),
    ]
    return .object([
      "apiVersion": .string("v1"), "kind": .string("Pod"), "metadata": .object(metadata),
      "spec": .object(spec),
    ])
  }

  private static let keptOfPod = [
    "securityContext", "nodeSelector", "tolerations", "imagePullSecrets", "serviceAccountName",
    "runtimeClassName",
  ]

  private static let keptOfContainer = [
    "name", "image", "imagePullPolicy", "volumeMounts", "securityContext", "resources",
  ]

  /// The container with nothing to do. It has no variables: what mounts by them is not mounted elsewhere, it fails.
  private static func idle(_ server: JSONValue, image: String?) -> JSONValue {
    var container = server.members(keptOfContainer)
    if let image {
      container["image"] = .string(image)
      // How the server's image is pulled says nothing of another.
      container["imagePullPolicy"] = nil
    }
    let script = "trap 'exit 0' TERM; sleep 86400 & wait"
    container["command"] = .array(["sh", "-c", script].map(JSONValue.string))
    return .object(container)
  }

  private func volumes(of template: JSONValue, for pod: String) -> [JSONValue] {
    let names = (object.spec.volumeClaimTemplates ?? []).map(\.metadata.name)
    let claims = names.map { name -> JSONValue in
      .object([
        "name": .string(name),
        "persistentVolumeClaim": .object(["claimName": .string("\(name)-\(pod)")]),
      ])
    }
    return claims
      + (template["volumes"]?.elements ?? []).filter { !names.contains($0["name"]?.text ?? "") }
  }
}

extension JSONValue {
  /// The members of an object with these keys.
  fileprivate func members(_ keys: [String]) -> [String: JSONValue] {
    keys.reduce(into: [:]) { $0[$1] = self[$1] }
  }
}
