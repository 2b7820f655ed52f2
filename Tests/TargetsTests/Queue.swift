@testable import Targets

/// A StatefulSet of one pod, and what the cluster says of it.
enum Queue {
  static let running = #"{"running":{"startedAt":"x"}}"#
  static let crashing = #"{"waiting":{"reason":"CrashLoopBackOff"}}"#
  static let ended = #"{"terminated":{"exitCode":1}}"#

  static func pod(
    _ state: String = running, ready: Bool = false, restarts: Int = 0, probed: Bool = true,
    owner: String? = "StatefulSet", name: String = "set-0"
  ) -> String {
    """
    {"metadata":{"name":"\(name)","uid":"\(name)","ownerReferences":[
    \(owner.map { #"{"kind":"\#($0)","name":"set","controller":true}"# } ?? "")]},
    "spec":{"containers":[{"name":"redis"\(probed ? #","readinessProbe":{}"# : "")}],
    "volumes":[{"name":"data","persistentVolumeClaim":{"claimName":"data-set-0"}}]},
    "status":{"phase":"Running","conditions":[{"type":"Ready","status":"\(ready ? "True" : "False")"}],
    "containerStatuses":[{"name":"redis","restartCount":\(restarts),"state":\(state),
    "lastState":{"terminated":{"exitCode":1}}}]}}
    """
  }

  static func set(
    replicas: Int = 1, held: String? = nil, holder: String = "", version: Int = 7,
    policy: String = "",
    mounts: String = #"{"name":"data","mountPath":"/data"}"#
  ) -> String {
    """
    {"metadata":{"name":"set","uid":"s","resourceVersion":"\(version)","annotations":{
    \(held.map { #""raibid-backup/replicas":"\#($0)","raibid-backup/process":"\#(holder)""# } ?? "")}},
    "spec":{"replicas":\(replicas),\(policy)
    "volumeClaimTemplates":[{"metadata":{"name":"data"}}],
    "template":{"metadata":{"labels":{"app":"queue"}},"spec":{
    "securityContext":{"fsGroup":1001},"tolerations":[{"key":"db","operator":"Exists"}],
    "serviceAccountName":"queue","nodeSelector":{"disk":"fast"},"hostNetwork":true,
    "affinity":{"nodeAffinity":{"x":1.5},"podAntiAffinity":{"y":true}},
    "initContainers":[{"name":"prepare","image":"x"}],
    "volumes":[{"name":"config","configMap":{"name":"c"}},{"name":"data","emptyDir":{}}],
    "containers":[{"name":"metrics","image":"y"},{"name":"redis","image":"redis:7","imagePullPolicy":"Always",
    "command":["redis-server"],"args":["/etc/redis.conf"],"env":[{"name":"A","value":"b"}],
    "ports":[{"containerPort":6379}],"readinessProbe":{"tcpSocket":{"port":6379}},
    "securityContext":{"runAsUser":1001},"resources":{"limits":{"memory":"1Gi"}},
    "volumeMounts":[\(mounts),{"name":"config","mountPath":"/etc/redis"}]}]}}}}
    """
  }

  static func missing(_ pod: String) -> String {
    #"error (NotFound): pods "\#(pod)" not found"#
  }

  static func cluster(_ files: [String: String], control: String = "") throws -> FakeCluster {
    let cluster = try FakeCluster(control: control)
    for (name, text) in files { try cluster.put(text, name) }
    return cluster
  }

  static func server(_ cluster: FakeCluster, helperImage: String? = nil) -> PodServer {
    PodServer(
      kubectl: cluster.kubectl(), container: PodContainer(pod: "set-0", container: "redis"),
      port: 6379, memoryLimitByteCount: nil, returnPatience: .zero, helperImage: helperImage)
  }
}
