import RawJSON

/// How many pods a StatefulSet has, and what a hold has noted of it.
struct Scale: Equatable {
  var replicas: Int
  /// The replicas that a hold will put back; nil without a hold.
  var held: Int?
  /// Whether it has replicas only since a restore that is not over yet has started its server.
  var isStarted = false

  private static let started = " started"

  init(replicas: Int, held: Int? = nil, isStarted: Bool = false) {
    (self.replicas, self.held, self.isStarted) = (replicas, held, isStarted)
  }

  /// - Parameter note: What a hold has noted; nil without a hold.
  init(replicas: Int, note: String?) {
    self.replicas = replicas
    isStarted = note?.hasSuffix(Self.started) ?? false
    held = (note?.prefix { $0 != " " }).flatMap { Int($0) }.map { max($0, 0) }
  }

  /// What a hold notes.
  var note: String? { held.map { "\($0)" + (isStarted ? Self.started : "") } }

  /// The scale of a set that is held. A note at a set without replicas is that of a run that was killed.
  var down: Scale {
    Scale(replicas: 0, held: replicas > 0 && !isStarted ? replicas : held ?? 0)
  }

  /// The scale after a hold. What somebody has scaled up meanwhile stays.
  ///
  /// - Parameter startsServer: Whether there is to be a replica even where there was none before; that there was
  ///   none stays noted, for the way back.
  func up(startsServer: Bool) -> Scale {
    guard replicas == 0 else { return Scale(replicas: replicas) }
    guard startsServer, held == 0 else {
      return Scale(replicas: max(held ?? 0, startsServer ? 1 : 0))
    }
    return Scale(replicas: 1, held: 0, isStarted: true)
  }
}

/// A StatefulSet whose pod may be kept from running.
struct HeldSet: Decodable {
  /// Where a hold notes the replicas that it will put back, so that a later run can.
  static let note = "raibid-backup/replicas"
  /// Where it notes whose it is.
  static let holderNote = "raibid-backup/process"

  let object: StatefulSet
  /// The whole of it: what its pod is made of is passed on as it is.
  let document: JSONValue

  init(from decoder: any Decoder) throws {
    object = try StatefulSet(from: decoder)
    document = try JSONValue(from: decoder)
  }

  var name: String { document["metadata"]?["name"]?.text ?? "" }

  var scale: Scale {
    Scale(
      replicas: object.spec.replicas ?? 1, note: object.metadata?.annotations?[Self.note])
  }

  /// The process that holds it, as far as it says so.
  var holder: ToolProcess? {
    object.metadata?.annotations?[Self.holderNote].map(ToolProcess.init(rawValue:))
  }

  /// A merge patch to another scale, that of a hold of this process where it is one.
  ///
  /// - Throws: Nothing by itself; the API server refuses it when the set has changed since it was read.
  func patch(to scale: Scale) -> String {
    let note = scale.note.map { "\"\($0)\"" } ?? "null"
    let holder = scale.note.map { _ in "\"\(ToolProcess.current.rawValue)\"" } ?? "null"
    let version = document["metadata"]?["resourceVersion"]?.text ?? ""
    return
      #"{"metadata":{"resourceVersion":"\#(version)","annotations":{"\#(Self.note)":\#(note),"#
      + #""\#(Self.holderNote)":\#(holder)}},"#
      + #""spec":{"replicas":\#(scale.replicas)}}"#
  }

  /// What a pod of the set is made of, with its claims.
  func spec(ofPod pod: String) -> Pod.Spec? {
    guard var spec = object.spec.template?.spec else { return nil }
    let claims = (object.spec.volumeClaimTemplates ?? []).map(\.metadata.name).map {
      Volume(name: $0, claim: "\($0)-\(pod)")
    }
    let names = claims.map(\.name)
    spec.volumes = claims + (spec.volumes ?? []).filter { !names.contains($0.name) }
    return spec
  }
}

extension Pod.Spec {
  /// Every directory of a container that a claim is mounted at, and the claim.
  func claimMounts(of container: String) -> [(directory: String, claim: String)] {
    (containers.first { $0.name == container }?.volumeMounts ?? []).compactMap { mount in
      let volume = volumes?.first { $0.name == mount.name }
      return volume?.claim.map { (mount.mountPath, $0) }
    }
  }
}
