/// A fact about the place where a server runs that speaks against a restore by restart.
public enum RestoreObstacle: Sendable, Equatable {
  /// Nothing would start the pod again after it was deleted.
  case podWithoutController(pod: String)
  /// The controller is no StatefulSet: the new pod would have another name.
  case podNameNotKept(controllerKind: String, controller: String)
  /// The data directory is not on a persistent volume claim.
  ///
  /// `kind` is the kind of the volume as in its manifest (`emptyDir`, `hostPath`, …), or
  /// `container` when it is on none.
  case dataNotOnClaim(directory: String, kind: String)
  /// The StatefulSet deletes claims: `policy` is `whenDeleted` or `whenScaled`.
  case claimIsDeleted(controller: String, policy: String)
  /// Other pods mount the claim of the data directory.
  case claimIsShared(claim: String, pods: [String])
  /// The StatefulSet has another number of replicas than one.
  case replicas(controller: String, count: Int)
  /// The node of the pod is not ready.
  case nodeNotReady(node: String)
  /// The node of the pod takes no new pods.
  case nodeUnschedulable(node: String)
  /// The image is never pulled, and the node does not have it.
  case imageMissing(image: String, node: String)
  /// The next pod would be made of another template than this one; the images are those of the server.
  case templateChanged(controller: String, image: String, nextImage: String)
  /// The container runs a command before it is stopped with its pod, which may have the server save.
  case preStopHook(container: String)
  /// The kubelet would not start the container again.
  case containerNotRestarted(policy: String)
  /// The server answers on another host, if it does: no process of this host tells whether it runs.
  case otherHost(name: String)
  /// The server is no process of this host.
  case serverNotOnThisHost(processID: Int)
  /// This user may not see the server's process, so that nothing shows that it is the server's.
  case processHidden(processID: Int)
  /// The server works in another directory than it names.
  case serverElsewhere(processID: Int, directory: String)
  /// A process of that number is there, but the connection does not lead to it.
  case connectionLeadsElsewhere(processID: Int)
  /// This account may not do, or not look at, what a restore needs; `message` says which right it lacks.
  case forbidden(message: String)
  /// Something above could not be found out; `message` says why.
  case notChecked(message: String)
}
