import FoundationEssentials
import RDBFormat
import RedisClient
import Targets

// What a user should weigh before a restore, in words.

extension RestoreRisk {
  /// More streams, groups or clients than this are told of by their number.
  private static let listedCount = 10

  /// All there is to weigh.
  static func all(
    _ candidate: RestoreCandidate, _ facts: RestoreFacts, _ figures: RestoreFigures,
    _ pending: PendingReport, _ options: RestoreMachine.Options
  ) -> [RestoreRisk] {
    var risks = [
      RestoreRisk(
        .writesRefused,
        "writes are refused for about \(Figures.duration(figures.writesRefusedSeconds)), an estimate "
          + "from the sizes, until the comparison is done"),
      RestoreRisk(
        .dataLost,
        "what was written since \(Sentences.time(candidate.summary.aux["ctime"])) is lost; "
          + (options.safetyBackup ? "the safety backup holds it" : "no safety backup holds it")),
      keysLost(figures),
    ]
    risks += entriesLost(candidate, facts)
    risks += deliveredAgain(candidate, facts)
    risks += pendingAgain(pending, facts.present.refusals)
    if figures.keysExpired > 0 {
      risks.append(
        RestoreRisk(
          .keysExpired,
          "\(Figures.keys(Int(clamping: figures.keysExpired))) of the backup expired meanwhile"))
    }
    risks += memory(figures)
    risks += clients(facts)
    risks += facts.concerns.map(RestoreRisk.init(_:))
    if facts.nextStart == nil {
      risks.append(
        RestoreRisk(
          .nextStart,
          "the configuration of the next start cannot be seen; it is taken to be the present one"))
    }
    risks += settingsLost(facts)
    if candidate.source == nil {
      risks.append(RestoreRisk(.source, "the file does not say which Redis it comes from"))
    }
    return risks
  }

  private static func keysLost(_ figures: RestoreFigures) -> RestoreRisk {
    let counts =
      "\(Figures.keys(Int(clamping: figures.keysNow))) now, \(figures.keysInBackup) in the backup"
    guard figures.keysNow > figures.keysInBackup else {
      return RestoreRisk(.keysLost, counts + "; how many of them are newer cannot be told")
    }
    return RestoreRisk(
      .keysLost,
      counts + ": at least "
        + Figures.count(
          figures.keysNow - figures.keysInBackup, "is newer and lost", "are newer and lost"))
  }

  private static func entriesLost(
    _ candidate: RestoreCandidate, _ facts: RestoreFacts
  ) -> [RestoreRisk] {
    var messages: [String] = []
    for (backup, now) in zip(candidate.summary.content.streams, facts.present.streams) {
      guard let state = now.state else { continue }
      let loss = StreamLoss(backup, state)
      let name = "stream \(printable(backup.key))"
      switch loss.entriesLost {
      case _ where loss.isMadeAnew:
        messages.append(
          "\(name) was made anew since: its \(Figures.count(UInt64(clamping: state.length), "entry is", "entries are")) lost"
        )
      case .some(0): continue
      case .some(let count):
        messages.append(
          "\(name): \(Figures.count(count, "entry was added since, and is", "entries were added since, and are")) lost"
        )
      case nil:
        messages.append(
          "\(name): entries up to \(state.lastGeneratedID) were added since "
            + "\(backup.lastGeneratedID), and are lost; their number is not counted before Redis 7.0"
        )
      }
    }
    if let refusal = facts.present.refusals.streams {
      messages.append("what was added to some streams is not known, since \(refusal)")
    }
    return listed(messages, .entriesLost, "streams")
  }

  private static func deliveredAgain(
    _ candidate: RestoreCandidate, _ facts: RestoreFacts
  ) -> [RestoreRisk] {
    var messages: [String] = []
    for (backup, now) in zip(candidate.summary.content.streams, facts.present.streams) {
      guard let loss = now.state.map({ StreamLoss(backup, $0) }) else { continue }
      for group in backup.groups {
        let count = loss.deliveredAgain(group)
        guard count != 0 else { continue }
        messages.append(
          "stream \(printable(backup.key)), group \(printable(group.name)): "
            + (count.map { Figures.count($0, "entry was", "entries were") }
              ?? "entries after \(group.lastDeliveredID) were")
            + " delivered since, and will be again")
      }
    }
    return listed(messages, .deliveredAgain, "groups")
  }

  private static func pendingAgain(
    _ pending: PendingReport, _ refusals: PresentData.Refusals
  ) -> [RestoreRisk] {
    guard pending.total > 0 else { return [] }
    let acknowledged = pending.count(.acknowledged)
    let unknown = pending.total - UInt64(pending.count(.pending)) - UInt64(acknowledged)
    let parts = [
      acknowledged > 0
        ? Figures.count(UInt64(acknowledged), "has", "have")
          + " been acknowledged since, and will be pending again" : nil,
      unknown > 0
        ? "what has become of \(unknown) since cannot be told"
          + (refusals.pending.map { ", since \($0)" } ?? "")
        : nil,
    ].compactMap(\.self)
    return [
      RestoreRisk(
        .pendingAgain,
        "\(Figures.count(pending.total, "entry was", "entries were")) pending when the backup was written"
          + (parts.isEmpty
            ? ", and \(pending.total == 1 ? "is" : "are") still"
            : ": " + parts.joined(separator: "; "))
          + " (--pending report lists them)")
    ]
  }

  private static func memory(_ figures: RestoreFigures) -> [RestoreRisk] {
    guard let need = figures.memoryNeededBytes else { return [] }
    let used = "the data took \(Figures.bytes(need)) of memory when it was saved"
    guard let limit = figures.memoryLimitBytes else { return [] }
    return need <= limit
      ? []
      : [RestoreRisk(.memory, used + ", and the server may use \(Figures.bytes(limit))")]
  }

  /// What was set while the server runs, and goes with the restart.
  private static func settingsLost(_ facts: RestoreFacts) -> [RestoreRisk] {
    func memory(_ byteCount: Int64) -> String {
      byteCount > 0 ? Figures.bytes(UInt64(byteCount)) : "without limit"
    }
    let settings = [
      ("maxmemory", facts.status.maxMemory.map(memory), facts.nextStart?.maxMemory.map(memory)),
      ("maxmemory-policy", facts.status.maxMemoryPolicy, facts.nextStart?.maxMemoryPolicy),
      ("save", "\"\(facts.settings.save)\"", facts.nextStart?.save.map { "\"\($0)\"" }),
    ]
    return settings.compactMap { name, now, then in
      guard let now, let then, now != then else { return nil }
      return RestoreRisk(
        .nextStart,
        "\(name) is \(now) now, and \(then) after the restart, as the configuration says")
    }
  }

  private static func clients(_ facts: RestoreFacts) -> [RestoreRisk] {
    guard let clients = facts.present.clients else {
      let reason = facts.present.refusals.clients.map { "; who they are is not known, since \($0)" }
      guard let count = facts.status.connectedClients, count > 1 || reason != nil else { return [] }
      return [
        RestoreRisk(.clients, "\(count - 1) other clients are connected" + (reason ?? ""))
      ]
    }
    var counts: [String: (name: String, command: String, count: Int)] = [:]
    for client in clients {
      counts["\(client.host) \(client.name)", default: (client.name, client.lastCommand, 0)]
        .count += 1
    }
    let messages = counts.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
      .map { place, client in
        let host = place.split(separator: " ").first.map(String.init) ?? ""
        return "connected: \(client.count) from \(host)"
          + (client.name.isEmpty ? "" : " as \(printable(Array(client.name.utf8)))")
          + (client.command.isEmpty ? "" : ", last command \(client.command)")
      }
    return listed(messages, .clients, "clients")
  }

  private static func listed(
    _ messages: [String], _ kind: Kind, _ what: String
  ) -> [RestoreRisk] {
    var risks = messages.prefix(listedCount).map { RestoreRisk(kind, $0) }
    if messages.count > listedCount {
      risks.append(RestoreRisk(kind, "… and \(messages.count - listedCount) more \(what)"))
    }
    return risks
  }
}

extension RestoreRisk {
  init(_ concern: RestartConcern) {
    switch concern {
    case .managed(let object, let manager):
      self.init(.managed, manager.words(of: object))
    case .imageAlwaysPulled(let image):
      self.init(
        .image,
        "image \(image) is pulled at each start (imagePullPolicy: Always): the registry must be "
          + "reachable, or the server does not come back")
    case .imageNotListed(let image, let node):
      self.init(
        .image,
        "image \(image) is not among those that node \(node) lists, and may have to be pulled")
    case .imagesNotSeen(let image):
      self.init(
        .image, "whether image \(image) is on the node cannot be seen; it may have to be pulled")
    case .endedBefore(let restarts, let time):
      self.init(
        .backOff,
        "the container was started again \(restarts) times, and ended last at \(time): within ten "
          + "minutes of that the kubelet may wait up to five before it starts it")
    }
  }
}

extension ObjectManager {
  /// Who manages an object, and how it is paused, in words.
  fileprivate func words(of object: String) -> String {
    switch self {
    case .helm(let release, let namespace):
      "\(object) is managed by the Helm release \(release)"
        + (namespace.map { " in \($0)" } ?? "") + ": run no helm upgrade meanwhile"
    case .chart(let instance):
      "\(object) comes from a Helm chart that another tool has rendered"
        + (instance.map { " (instance \($0))" } ?? "") + ": if that is Argo CD or Flux, pause it"
    case .flux(let kind, let name, let namespace):
      "\(object) is managed by Flux; pause it: \(Self.flux("suspend", kind, name, namespace)); "
        + "afterwards: \(Self.flux("resume", kind, name, namespace))"
    case .argo(let application):
      "\(object) is managed by Argo CD; pause it: argocd app set \(shellWord(application)) "
        + "--sync-policy none; afterwards: argocd app set \(shellWord(application)) --sync-policy automated"
    case .operator(let kind, let name):
      "\(object) belongs to \(kind) \(name): its operator may restart or change it meanwhile; pause it"
    }
  }

  private static func flux(
    _ verb: String, _ kind: String, _ name: String, _ namespace: String?
  ) -> String {
    "flux \(verb) \(kind) \(shellWord(name))" + (namespace.map { " -n \(shellWord($0))" } ?? "")
  }
}
