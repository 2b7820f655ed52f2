import FoundationEssentials
import RDBFormat
import RedisClient
import Targets

/// The words of a restore's plan.
enum Sentences {
  /// What the sentences of a plan speak of.
  struct Names {
    let live: String
    let kept: String
    let staged: String
    let archive: String
    /// How the server is restarted.
    var restart = "restart the server"
    /// Why it does not run; nil where it does.
    var outage: ServerOutage?
  }

  static func time(_ ctime: String?) -> String {
    guard let seconds = ctime.flatMap(Double.init) else { return "at an unknown time" }
    return Date(timeIntervalSince1970: seconds).formatted(.iso8601)
  }

  static func memory(_ figures: RestoreFigures) -> String {
    let need = figures.memoryNeededBytes.map { Figures.bytes($0) } ?? "an unknown amount"
    let limit = figures.memoryLimitBytes.map { "it may use \(Figures.bytes($0))" }
    return "its data took \(need) of memory when it was saved, \(limit ?? "and no limit is set")"
  }
}

extension RestoreLayout {
  /// The layout in words.
  var words: String {
    switch self {
    case .multiPartAOF: "append-only file in parts"
    case .singleFileAOF: "append-only file"
    case .snapshot: "append-only file off"
    }
  }
}

extension RestorePlan.Line {
  init(step: RestoreStep, names: Sentences.Names) {
    let nothing = "nothing to undo"
    let (description, undo): (String, String) =
      switch step {
      case .beginJournal: ("write a journal on the volume", "remove it")
      case .stageBackup: ("write the backup to \(names.staged)", "remove it")
      case .compareDigest: ("compare its SHA-256 there", nothing)
      case .refuseWrites: ("refuse writes (min-replicas-to-write)", "accept them again")
      case .takeSafetyBackup: ("take a safety backup of the present data", "it stays")
      case .saveOldData: ("have the server save its present data", nothing)
      case .stopPersisting:
        ("have the server leave its files alone", "have it write them again")
      case .keepOldFiles: ("keep the old files in \(names.kept)", "remove their second names")
      case .swap: ("put the backup in place of \(names.live)", "put the old file back")
      case .swapFiles: ("put the backup in place of \(names.live)", "put the old files back")
      case .confirmSwap: ("look that it is in its place", nothing)
      case .restart: (names.restart, "restart it with the old files")
      case .awaitServer: ("wait until it has loaded, writes refused", nothing)
      case .compareData: ("compare keys and streams with the backup", "go back to the old data")
      case .acceptWrites: ("accept writes again", "none: from here on the backup is the data")
      case .removeOldFiles: ("remove the old files", "the safety backup has their data")
      case .removeOldNames:
        ("leave the old files in \(names.kept) only", "none: they are not read any more")
      case .dropUnusedFiles: ("put back the old files that the server does not read", nothing)
      case .endJournal: ("remove the journal", nothing)
      case .holdServer: (names.outage?.ways.hold ?? "stop the server", "leave it as it was")
      case .startServer: (names.outage?.ways.start ?? "start the server", "stop it again")
      case .releaseServer: (names.outage?.ways.release ?? "leave the server as it is", nothing)
      case .resumePersisting: ("have the server write its files again", nothing)
      case .putOldFilesBack: ("put the old files back", nothing)
      case .compareOldData: ("compare the keys with those before", nothing)
      case .removeKeptNames: ("remove the second names of the old files", nothing)
      case .removeStagedFiles: ("remove what was staged", nothing)
      }
    self.init(step: step, description: description, undo: undo)
  }
}

extension RestorePhase {
  /// A word for programs.
  var word: String {
    switch self {
    case .begun: "begun"
    case .staged: "staged"
    case .refusingWrites: "refusing_writes"
    case .kept: "kept"
    case .swapped: "swapped"
    case .served: "served"
    case .committed: "committed"
    }
  }
}

extension RestoreStep: CustomStringConvertible {
  /// What is being done, for a person who watches.
  public var description: String {
    switch self {
    case .beginJournal: "writing the journal"
    case .stageBackup: "copying the backup to the volume"
    case .compareDigest: "comparing its digest"
    case .refuseWrites: "refusing writes"
    case .takeSafetyBackup: "taking a safety backup"
    case .saveOldData: "saving the present data"
    case .stopPersisting: "closing the server's files"
    case .keepOldFiles: "keeping the old files"
    case .swap, .swapFiles: "swapping"
    case .confirmSwap: "confirming the swap"
    case .restart: "restarting the server"
    case .awaitServer: "waiting for the server to load"
    case .compareData: "comparing the data"
    case .acceptWrites: "accepting writes"
    case .removeOldFiles: "removing the old files"
    case .removeOldNames: "removing the old files' first names"
    case .dropUnusedFiles: "putting back what is not read"
    case .endJournal: "removing the journal"
    case .holdServer: "keeping the server from being started"
    case .startServer: "starting the server"
    case .releaseServer: "letting the server go"
    case .resumePersisting: "opening the server's files again"
    case .putOldFilesBack: "putting the old files back"
    case .compareOldData: "comparing the old data"
    case .removeKeptNames, .removeStagedFiles: "tidying up"
    }
  }
}

extension RestartWay {
  /// The step in words.
  var words: String {
    switch self {
    case .pod: "delete the pod, and wait for the next one"
    case .server: "stop the server (SHUTDOWN NOSAVE), and wait until its container is started again"
    }
  }
}

extension RestoreObstacle {
  /// What is in the way, in words.
  var words: String {
    switch self {
    case .podWithoutController(let pod):
      "pod \(pod) has no controller that would start it again"
    case .podNameNotKept(let kind, let controller):
      "the pod belongs to \(kind) \(controller), which would give the next one another name"
    case .dataNotOnClaim(let directory, let kind):
      "\(directory) is not on a persistent volume claim but on \(kind), and is lost with the pod"
    case .claimIsDeleted(let controller, let policy):
      "\(controller) deletes its claim (\(policy): Delete)"
    case .claimIsShared(let claim, let pods):
      "claim \(claim) is used by \(pods.joined(separator: ", ")) too"
    case .replicas(let controller, let count):
      "\(controller) has \(count) replicas"
    case .nodeUnschedulable(let node):
      "node \(node) takes no new pods (it is cordoned), and the pod could not come back"
    case .imageMissing(let image, let node):
      "image \(image) is not on node \(node) and is never pulled, so the pod could not come back"
    case .templateChanged(let controller, let image, let next):
      image == next
        ? "the next pod of \(controller) would be made from a template that has changed since"
        : "the next pod of \(controller) would run \(next) instead of \(image)"
    case .preStopHook(let container):
      "container \(container) has a preStop hook, and a save by it would bring the old data back when the pod is "
        + "deleted"
    case .containerNotRestarted(let policy):
      "the pod's restart policy is \(policy), so its container would not be started again"
    case .nodeNotReady(let node): "node \(node) is not ready"
    case .forbidden(let message): "this account lacks a right: \(message)"
    case .notChecked(let message): "not everything could be checked: \(message)"
    case .otherHost(let name):
      "\(name) is not this host, where nothing tells whether its server runs"
    case .serverNotOnThisHost(let processID):
      "its process \(processID) is not a server on this host, so its files are not here"
    case .processHidden(let processID):
      "its process \(processID) is hidden from this user (hidepid of /proc), so its files may not be here"
    case .connectionLeadsElsewhere(let processID):
      "the connection does not lead straight to process \(processID) of this host, so its files may not "
        + "be here"
    case .serverElsewhere(let processID, let directory):
      "its process \(processID) works in \(directory), which is not the directory here that it names"
    }
  }
}
