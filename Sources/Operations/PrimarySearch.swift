import RedisClient
import Targets

/// Finds the one among several servers that a command is about: the primary, or a replica that has all
/// that the primary had.
struct PrimarySearch: Sendable {
  /// How long a replica may take to get what the primary had when the search began.
  private static let catchUpLimit = Duration.seconds(10)
  private static let interval = Duration.milliseconds(100)

  /// The servers to choose from; never none.
  let sessions: [ServerSession]
  /// Why others, that may be there, cannot be looked at.
  let unseen: [TargetError]
  let choice: PodPlace.Choice
  let use: ServerUse
  let report: ProgressReport

  /// - Returns: The session of the server, with what it told.
  /// - Throws: ``PrimaryUnclear`` where none or several take writes; ``BackupError`` where a pod that cannot
  ///   be seen forbids the choice; what looking at a server throws, unless nobody answers there.
  func run() async throws -> ServerSession {
    // A server that is named is the one that is meant, whatever its role.
    if case .pod = choice, let session = sessions.first { return session }
    report(.began("looking for the primary"))
    var looks: [Look] = []
    for session in sessions { looks.append(try await look(at: session)) }
    // Whether the only one does not run, and may be restored nevertheless, shows later.
    if use == .restore, unseen.isEmpty, looks.count == 1, looks[0].status == nil {
      return looks[0].session
    }
    let primaries = looks.filter(\.isPrimary)
    guard let primary = primaries.first, primaries.count == 1 else {
      throw PrimaryUnclear(
        choice: choice, found: looks.map(\.words) + unseen.map(\.description),
        isNone: primaries.isEmpty, isReached: looks.contains { $0.status != nil })
    }
    try report(unseenAmong: looks, beside: primary)
    guard case .backup(prefersReplica: true) = use else { return primary.found }
    var doubts: [String] = []
    for replica in looks where !replica.isPrimary && !replica.isSentinel {
      if let doubt = try await doubt(about: replica, of: primary) {
        doubts.append("\(replica.pod): \(doubt)")
      } else {
        return replica.found
      }
    }
    let reasons = doubts.isEmpty ? "there is none" : doubts.joined(separator: "; ")
    report(.warning("the primary \(primary.pod) is used, since no replica can be: \(reasons)"))
    return primary.found
  }

  /// One that cannot be seen may be a primary too, with newer data than the one that was found.
  private func report(unseenAmong looks: [Look], beside primary: Look) throws {
    let facts =
      looks.filter { $0.status == nil && !$0.isSentinel }.map(\.words)
      + unseen.map(\.description)
    guard !facts.isEmpty else { return }
    let error = BackupError.unseenPods(beside: primary.pod, facts)
    if use == .restore { throw error }
    report(.warning("\(error.message): \(facts.joined(separator: "; "))"))
  }

  /// What one server says of itself.
  private struct Look: Sendable {
    let session: ServerSession
    /// Nil where nobody answers.
    var status: ServerStatus?
    var failure: String?
    /// Whether it is none of those that may be meant, although nobody answers as a server would.
    var isSentinel = false

    var pod: String { session.target.source.pod ?? "?" }
    var isPrimary: Bool { status?.role == .master }

    /// The session, for those who look at the server later.
    var found: ServerSession {
      var session = session
      session.seen = status
      return session
    }

    var words: String {
      guard let status else { return "\(pod): \(failure ?? "no answer")" }
      let role = status.role == .replica ? "replica" : status.role?.rawValue ?? "no role"
      return "\(pod): \(role)" + (status.masterLinkStatus.map { ", link \($0)" } ?? "")
    }
  }

  private func look(at session: ServerSession) async throws -> Look {
    do {
      return Look(
        session: session, status: try await session.withConnection { try await $0.status() })
    } catch let error where error.isUnreachable {
      let isSentinel = try await session.target.control.isSentinel()
      return Look(
        session: session, failure: isSentinel ? "a Sentinel" : "\(error)", isSentinel: isSentinel)
    } catch let cancellation as CancellationError {
      throw cancellation
    } catch {
      throw BackupError(any: error, session: session, verb: "reach")
    }
  }

  /// Why a replica cannot stand for its primary; nil when it has all that the primary had.
  private func doubt(about replica: Look, of primary: Look) async throws -> String? {
    guard let status = replica.status else { return replica.failure ?? "no answer" }
    guard status.replicationID == primary.status?.replicationID else {
      return "it follows another primary"
    }
    guard let wanted = primary.status?.replicationOffset else {
      return "the primary tells no offset"
    }
    do {
      return try await replica.session.withConnection { connection in
        let deadline = ContinuousClock.now + Self.catchUpLimit
        while true {
          let status = try await connection.status()
          guard status.role == .replica, status.masterLinkStatus == "up" else {
            return "its link is \(status.masterLinkStatus ?? "not there")"
          }
          let offset = status.replicationOffset ?? 0
          if offset >= wanted { return nil }
          guard ContinuousClock.now < deadline else {
            return "it is \(wanted - offset) bytes behind"
          }
          try await Task.sleep(for: Self.interval)
        }
      }
    } catch let error where error.isUnreachable {
      return "\(error)"
    }
  }
}

/// None of the servers that may be meant takes writes, or several do.
struct PrimaryUnclear: Error, Sendable {
  let choice: PodPlace.Choice
  /// What each of them says.
  let found: [String]
  let isNone: Bool
  /// Whether any of them has answered.
  let isReached: Bool
}
