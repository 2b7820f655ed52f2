import FoundationEssentials
import RDBFormat
import Targets

extension RestorePlan {
  /// The plan of a restore by the files of a server that does not run.
  ///
  /// - Parameter candidate: What is restored; nil where an unfinished restore is taken up.
  init(
    _ request: RestoreBackup.Request, byFiles place: String, candidate: RestoreCandidate?,
    outage: ServerOutage, keepsOldFiles: Bool, concerns: [RestartConcern]
  ) {
    let steps: [RestoreStep] =
      switch request {
      case .restore:
        RestoreMachine.stagesByFiles(keepsOldFiles: keepsOldFiles).flatMap(\.steps)
      case .resume:
        RestoreMachine.resumptionByFiles(at: .swapped, keepsOldFiles: keepsOldFiles)
          .flatMap(\.steps)
      case .rollback:
        RestoreMachine.wayBackByFiles(from: .swapped)
      }
    let names = Sentences.Names(
      live: "all that the server may read", kept: "*.before-… beside them",
      staged: "the server's data directory", archive: candidate?.name ?? "",
      outage: outage)
    let lines = steps.map { Line(step: $0, names: names) }
    var summary = ["restore by the files of \(place), since \(outage.words)"]
    var risks: [RestoreRisk] = []
    if let candidate {
      let content = candidate.summary.content
      summary = [
        "restore \(candidate.path)",
        "\(Figures.count(content.keys, "key")) and \(Figures.count(content.streamsTotal, "stream")), "
          + "\(Figures.count(candidate.summary.byteCount, "byte")), written "
          + Sentences.time(candidate.summary.aux["ctime"]),
        "by the files of \(place), since \(outage.words)",
        "what an interrupted restore has left there is finished or undone first",
      ]
      risks = RestoreRisk.byFiles(candidate, keepsOldFiles: keepsOldFiles)
    }
    self.init(
      summary: summary, risks: risks + concerns.map(RestoreRisk.init(_:)), lines: lines,
      pending: candidate.map { PendingReport($0, nil) },
      waysBack: [RestorePhase.begun, .staged, .kept, .swapped, .served].map { phase in
        WayBack(phase, RestoreMachine.wayBackByFiles(from: phase), names: names)
      })
  }
}

extension RestoreMachine {
  /// The way back of one run, in which nobody else has started the server.
  fileprivate static func wayBackByFiles(from phase: RestorePhase) -> [RestoreStep] {
    let way = rollbackByFiles(
      from: phase, serverAnswers: false, isPutBack: false, keepsOldFiles: true)
    return way.undo + way.tidy
  }
}

extension RestoreRisk {
  fileprivate static func byFiles(
    _ candidate: RestoreCandidate, keepsOldFiles: Bool
  ) -> [RestoreRisk] {
    var risks = [
      RestoreRisk(
        .dataLost,
        "no safety backup can be taken of a server that does not run; "
          + (keepsOldFiles
            ? "its old files stay on the volume, as *.before-…"
            : "its old files are removed once the backup is served and was compared")),
      RestoreRisk(
        .nextStart,
        "whether this server loads \(candidate.summary.format.rawValue) RDB version "
          + "\(candidate.summary.version) shows when it is started; if not, its old files are put back"
      ),
      RestoreRisk(
        .managed,
        "whatever starts the server by itself must be stopped first; one that works on these files where "
          + "it is not seen, in another container or over a shared file system, is not noticed"),
      RestoreRisk(
        .clients,
        "who writes before the server has been asked to refuse that writes to the backup's data"),
    ]
    let expired = candidate.summary.content.databases.map(\.expiredKeys).reduce(0, +)
    if expired > 0 {
      risks.append(
        RestoreRisk(
          .keysExpired, "\(Figures.keys(Int(clamping: expired))) of the backup expired meanwhile"))
    }
    if candidate.source == nil {
      risks.append(RestoreRisk(.source, "the file does not say which Redis it comes from"))
    }
    return risks
  }
}

extension ServerOutage {
  /// Why the server does not run, in words.
  var words: String {
    switch self {
    case .notRunning(let directory):
      "nothing listens in its place, and no server works in \(directory)"
    case .crashing(let pod, let reason): "pod \(pod) does not stay up: \(reason)"
    case .scaledDown(let controller, let replicas?):
      "an interrupted restore has scaled \(controller) down from \(replicas)"
    case .scaledDown(let controller, nil): "\(controller) has no replicas"
    }
  }

  /// How it is kept from being started, let go and started.
  var ways: (hold: String, start: String, release: String) {
    switch self {
    case .notRunning:
      (
        "look once more that no server works there", "run the restart command",
        "leave the server as it is"
      )
    case .crashing(_, _), .scaledDown(_, _):
      (
        "scale its StatefulSet to 0, and mount its volume in a helper pod",
        "remove the helper pod, and scale the StatefulSet up again",
        "remove the helper pod where it is left, and give the StatefulSet its replicas"
      )
    }
  }
}
