import ArchiveStore
import FoundationEssentials
import Operations

/// A nightly run of `create` inside the cluster, as objects of Kubernetes.
struct NightlyJob {
  /// Where the archives are kept.
  enum Archives {
    case claim(size: String)
    case directory(node: String, path: String)
  }

  /// Nobody's number, as in images without users.
  private static let userID = 65532
  /// How long a run may take, in seconds.
  private static let usualSeconds: Int64 = 14400
  private static let archivePath = "/archives"
  /// Where what the cluster mounts for an option lies.
  private static let mountPath = "/run/secrets/"
  private static let heartbeatKey = "heartbeat-url"

  /// The name of all objects.
  let name: String
  let image: String
  let time: NightlyTime.Clock
  let place: PodPlace
  let settings: ConnectionSettings
  /// Whether an option names the Secret, wherever the password of this host is.
  let namesSecret: Bool
  /// The options of `create` that have no variable.
  let arguments: [String]
  let archives: Archives
  /// Certificates and keys.
  let files: [ClusterFile]
  /// For how long the run may wait before it begins, in seconds.
  let waitSeconds: Int64
  /// The URL of the monitor, a secret.
  let heartbeatURL: String?

  /// All objects, as `kubectl apply` takes them.
  var manifests: String {
    var documents = [account, role, binding]
    if case .claim(let size) = archives { documents.append(claim(size)) }
    if let heartbeatURL { documents.append(monitor(heartbeatURL)) }
    return (documents + [cronJob]).joined(separator: "---\n")
  }

  /// What the role allows: the rules of `create` in `scripts/kubernetes/rbac.yaml`.
  private var rules: String {
    let secret = "[\(Self.quoted(settings.secret.name))]"
    guard case .pod(let pod) = place.choice else {
      return """
        - {apiGroups: [""], resources: [pods], verbs: [get, list]}
        - {apiGroups: [""], resources: [pods/exec, pods/portforward], verbs: [create]}
        - {apiGroups: [""], resources: [secrets], resourceNames: \(secret), verbs: [get]}
        """
    }
    let names = "resourceNames: [\(Self.quoted(pod))]"
    return """
      - {apiGroups: [""], resources: [pods], \(names), verbs: [get]}
      - {apiGroups: [""], resources: [pods/exec, pods/portforward], \(names), verbs: [create]}
      - {apiGroups: [""], resources: [secrets], resourceNames: \(secret), verbs: [get]}
      """
  }

  private var account: String {
    object("v1", "ServiceAccount", "automountServiceAccountToken: false")
  }

  private var role: String {
    object("rbac.authorization.k8s.io/v1", "Role", "rules:\n\(rules)")
  }

  private var binding: String {
    let quotedName = Self.quoted(name)
    return object(
      "rbac.authorization.k8s.io/v1", "RoleBinding",
      """
      roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: \(quotedName)}
      subjects:
      - {kind: ServiceAccount, name: \(quotedName), namespace: \(Self.quoted(place.namespace))}
      """)
  }

  private func claim(_ size: String) -> String {
    object(
      "v1", "PersistentVolumeClaim",
      """
      spec:
        accessModes: [ReadWriteOnce]
        resources:
          requests: {storage: \(Self.quoted(size))}
      """)
  }

  private func monitor(_ url: String) -> String {
    // A Secret has no variables to put in.
    object(
      "v1", "Secret",
      """
      # Whoever knows it can tell the monitor that all is well.
      stringData: {\(Self.heartbeatKey): \(Self.quoted(url))}
      """)
  }

  private var cronJob: String {
    object(
      "batch/v1", "CronJob",
      """
      spec:
        # On the clock of the cluster's control plane, which usually is UTC.
        schedule: "\(time.minute) \(time.hour) * * *"
        concurrencyPolicy: Forbid
        startingDeadlineSeconds: 3600
        successfulJobsHistoryLimit: 3
        failedJobsHistoryLimit: 7
        jobTemplate:
          spec:
            # A run tries again what broke under way, not what never worked in it: a cluster that did not
            # answer, a failover, a node that was drained.
            backoffLimit: 2
            activeDeadlineSeconds: \(Self.usualSeconds + waitSeconds)
            template:
              metadata:
                labels: {app.kubernetes.io/name: \(Self.quoted(name))}
              spec:
      \(Self.indented(podSpec, by: 10))
      """)
  }

  private var podSpec: String {
    """
    serviceAccountName: \(Self.quoted(name))
    automountServiceAccountToken: true
    # A Service may have a name whose variables would be taken for options.
    enableServiceLinks: false
    restartPolicy: Never
    \(nodeSelector)securityContext:
      runAsNonRoot: true
      runAsUser: \(Self.userID)
      runAsGroup: \(Self.userID)
      fsGroup: \(Self.userID)
      fsGroupChangePolicy: OnRootMismatch
      seccompProfile: {type: RuntimeDefault}
    containers:
    - name: backup
      image: \(Self.quoted(image))
      imagePullPolicy: IfNotPresent
      args:
    \(Self.indented(argumentLines, by: 2))
      env:
    \(Self.indented(variableLines, by: 2))
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: {drop: [ALL]}
      resources:
        requests: {cpu: 100m, memory: 64Mi}
        limits: {cpu: "2", memory: 256Mi}
      volumeMounts:
    \(Self.indented(mounts, by: 2))
    volumes:
    \(volumes)
    """
  }

  private var mounts: String {
    (["- {name: archives, mountPath: \(Self.archivePath)}", "- {name: tmp, mountPath: /tmp}"]
      + files.map {
        "- {name: \($0.option), mountPath: \(Self.mountPath)\($0.option), readOnly: true}"
      })
      .joined(separator: "\n")
  }

  private var volumes: String {
    let fileVolumes = files.map { file in
      let (kind, nameKey) =
        switch file.kind {
        case .secret: ("secret", "secretName")
        case .configMap: ("configMap", "name")
        }
      return """
        - name: \(file.option)
          \(kind):
            \(nameKey): \(Self.quoted(file.name))
            items: [{key: \(Self.quoted(file.key)), path: \(file.option)}]
            defaultMode: 0440
        """
    }
    return
      (["- name: archives\n  \(volume)", "- name: tmp\n  emptyDir: {sizeLimit: 64Mi}"] + fileVolumes)
      .joined(separator: "\n")
  }

  private var argumentLines: String {
    (["create"] + arguments).map { "- \(Self.expanded($0))" }.joined(separator: "\n")
  }

  private var variableLines: String {
    var lines = variables.map { "- {name: \($0.name), value: \(Self.expanded($0.value))}" }
    if heartbeatURL != nil {
      lines.append(
        "- {name: \(Environment.variable(Self.heartbeatKey)), valueFrom: {secretKeyRef: "
          + "{name: \(Self.quoted(name)), key: \(Self.heartbeatKey)}}}")
    }
    return lines.joined(separator: "\n")
  }

  private var nodeSelector: String {
    guard case .directory(let node, _) = archives else { return "" }
    return "nodeSelector: {kubernetes.io/hostname: \(Self.quoted(node))}\n"
  }

  private var volume: String {
    switch archives {
    case .claim: "persistentVolumeClaim: {claimName: \(Self.quoted(name))}"
    case .directory(_, let path): "hostPath: {path: \(Self.quoted(path)), type: Directory}"
    }
  }

  /// The settings of the run; kubectl keeps what it learns of the cluster in its home.
  private var variables: [(name: String, value: String)] {
    let pod: (String, String) =
      switch place.choice {
      case .pod(let name): ("pod", name)
      case .statefulSet(let name): ("pod", "statefulset/\(name)")
      case .selector(let selector): ("selector", selector)
      }
    let limits = TimeLimits()
    let options: [(String, String?)] = [
      ("namespace", place.namespace), pod, ("container", place.container),
      ("port", settings.podPort == 6379 ? nil : "\(settings.podPort)"),
      ("user", settings.user), ("tls", settings.usesTLS ? "1" : nil), ("sni", settings.serverName),
      ("connect-timeout", Self.span(settings.limits.connect, unless: limits.connect)),
      ("stall-timeout", Self.span(settings.limits.stall, unless: limits.stall)),
      ("directory", Self.archivePath),
      // A Secret that is named must be there; without the usual one no password is needed.
      (
        "password-secret",
        namesSecret ? "\(settings.secret.name)/\(settings.secret.key)" : nil
      ),
    ]
    let paths = files.map { ($0.option, String?("\(Self.mountPath)\($0.option)/\($0.option)")) }
    return [("HOME", "/tmp")]
      + (options + paths).compactMap { option, value in
        value.map { (Environment.variable(option), $0) }
      }
  }

  private static func span(_ span: Duration, unless usual: Duration) -> String? {
    span == usual ? nil : "\(span.components.seconds)s"
  }

  // MARK: - Text

  private func object(_ version: String, _ kind: String, _ rest: String) -> String {
    """
    apiVersion: \(version)
    kind: \(kind)
    metadata:
      name: \(Self.quoted(name))
      namespace: \(Self.quoted(place.namespace))
      labels: {app.kubernetes.io/name: \(Self.quoted(name))}
    \(rest)

    """
  }

  /// A word of YAML, in quotes where it has to be.
  private static func quoted(_ word: String) -> String {
    let first = word.utf8.first.map { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") } ?? false
    let isPlain =
      first && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(word)
      && word.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
          || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || "-./".utf8.contains(byte)
      }
    guard !isPlain else { return word }
    var text = "\""
    for scalar in word.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value):
        text += "\\x" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// A word in which the kubelet would put variables in for `$(NAME)`.
  private static func expanded(_ word: String) -> String {
    quoted(word.split(separator: "$", omittingEmptySubsequences: false).joined(separator: "$$"))
  }

  private static func indented(_ text: String, by count: Int) -> String {
    let blanks = String(repeating: " ", count: count)
    return text.split(separator: "\n").map { blanks + $0 }.joined(separator: "\n")
  }
}
