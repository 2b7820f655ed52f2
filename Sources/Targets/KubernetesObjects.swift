/// The parts of the Kubernetes API's objects that are looked at (API reference v1.20 and later).
struct Metadata: Decodable, Equatable {
  struct Owner: Decodable, Equatable {
    var kind: String
    var name: String
    var controller: Bool?
  }

  var name: String
  var uid: String
  var deletionTimestamp: String?
  var ownerReferences: [Owner]?
  var labels: [String: String]?
  var annotations: [String: String]?

  var controller: Owner? { ownerReferences?.first { $0.controller == true } }
}

struct ObjectList<Item: Decodable>: Decodable {
  var items: [Item]
}

struct Condition: Decodable, Equatable {
  var type: String
  var status: String
  var reason: String?
  var message: String?
}

struct Pod: Decodable, Equatable {
  struct Spec: Decodable, Equatable {
    var containers: [Container]
    var volumes: [Volume]?
    var nodeName: String?
    var restartPolicy: String?
  }

  struct Container: Decodable, Equatable {
    struct Mount: Decodable, Equatable {
      var name: String
      var mountPath: String
    }

    struct Resources: Decodable, Equatable {
      var limits: [String: String]?
    }

    var name: String
    var image: String?
    var imagePullPolicy: String?
    var command: [String]?
    var args: [String]?
    var volumeMounts: [Mount]?
    var resources: Resources?
    var readinessProbe: Probe?
    var lifecycle: Lifecycle?
  }

  struct Lifecycle: Decodable, Equatable {
    struct Handler: Decodable, Equatable {
      struct Execution: Decodable, Equatable {
        var command: [String]?
      }

      var exec: Execution?
    }

    var preStop: Handler?
  }

  struct Probe: Decodable, Equatable {}

  struct Status: Decodable, Equatable {
    var phase: String?
    var podIP: String?
    var conditions: [Condition]?
    var containerStatuses: [ContainerStatus]?
    var initContainerStatuses: [ContainerStatus]?
  }

  struct ContainerStatus: Decodable, Equatable {
    struct State: Decodable, Equatable {
      var running: Running?
      var waiting: Reason?
      var terminated: Reason?
    }

    struct Running: Decodable, Equatable {}

    struct Reason: Decodable, Equatable {
      var reason: String?
      var message: String?
      var exitCode: Int?
      var finishedAt: String?
    }

    var name: String
    var image: String?
    var imageID: String?
    var state: State?
    var lastState: State?
    var restartCount: Int?
  }

  var metadata: Metadata
  var spec: Spec
  var status: Status

  func containerStatus(_ container: String) -> ContainerStatus? {
    status.containerStatuses?.first { $0.name == container }
  }

  func condition(_ type: String) -> Condition? {
    status.conditions?.first { $0.type == type }
  }

  /// The names of the claims that the pod mounts.
  var claims: [String] {
    (spec.volumes ?? []).compactMap(\.claim)
  }

  /// Whether no container of it will run again.
  var hasEnded: Bool { ["Succeeded", "Failed"].contains(status.phase) }
}

/// A volume of a pod: its name, and one more key that is its kind.
struct Volume: Decodable, Equatable {
  private struct Key: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  private struct Claim: Decodable {
    var claimName: String
  }

  var name: String
  var kind: String
  /// The name of the claim when the kind is `persistentVolumeClaim`.
  var claim: String?

  init(name: String, claim: String) {
    self.name = name
    self.claim = claim
    kind = "persistentVolumeClaim"
  }

  init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: Key.self)
    name = try values.decode(String.self, forKey: Key(stringValue: "name"))
    kind = values.allKeys.map(\.stringValue).first { $0 != "name" } ?? "emptyDir"
    let claimKey = Key(stringValue: "persistentVolumeClaim")
    claim = try values.decodeIfPresent(Claim.self, forKey: claimKey)?.claimName
  }
}

struct StatefulSet: Decodable {
  struct Spec: Decodable {
    var template: Template?
    var replicas: Int?
    var persistentVolumeClaimRetentionPolicy: RetentionPolicy?
    var volumeClaimTemplates: [ClaimTemplate]?
  }

  struct RetentionPolicy: Decodable {
    var whenDeleted: String?
    var whenScaled: String?
  }

  /// What its pods are made of.
  struct Template: Decodable {
    struct Metadata: Decodable {
      var labels: [String: String]?
    }

    var metadata: Metadata?
    var spec: Pod.Spec?
  }

  /// What the claims of its pods are made of: that of a pod is called NAME-POD.
  struct ClaimTemplate: Decodable {
    struct Metadata: Decodable {
      var name: String
    }

    var metadata: Metadata
  }

  struct Status: Decodable {
    var updateRevision: String?
  }

  var metadata: Metadata?
  var spec: Spec
  var status: Status?
}

struct Node: Decodable {
  struct Spec: Decodable {
    var unschedulable: Bool?
  }

  struct Status: Decodable {
    struct Image: Decodable {
      var names: [String]?
    }

    var conditions: [Condition]?
    var images: [Image]?
  }

  var spec: Spec?
  var status: Status
}

/// A quantity of the Kubernetes API (`512Mi`, `1.5G`, `128974848`, `1e9`, `400000m`).
enum Quantity {
  private static let factors: [String: Double] = [
    "": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18,
    "Ki": 0x1p10, "Mi": 0x1p20, "Gi": 0x1p30, "Ti": 0x1p40, "Pi": 0x1p50, "Ei": 0x1p60,
  ]

  /// The number of bytes, rounded down; nil for what is no quantity or does not fit.
  static func byteCount(_ text: String) -> UInt64? {
    // The exponent of `1e9` is part of the number, the `E` of `1E` is a suffix.
    for suffixLength in 0...2 where suffixLength < text.count {
      guard let number = Double(text.dropLast(suffixLength)),
        let factor = factors[String(text.suffix(suffixLength))]
      else { continue }
      return UInt64(exactly: (number * factor).rounded(.down))
    }
    return nil
  }
}
