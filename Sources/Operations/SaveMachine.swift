import RedisClient

/// How the server is asked to write its dump.
public enum SaveMethod: String, Sendable, CaseIterable {
  /// In a child process, while the server goes on answering.
  case bgsave
  /// In the server itself, which answers nobody until it is done.
  case save
  /// In a child process, for a replica that asks for it: the dump comes over the connection.
  case sync
}

/// Decides how a server is brought to write a dump that is surely of this run.
///
/// It does no I/O and reads no clock: the caller carries out each ``Action`` and tells what came of it,
/// with the time that has passed since the start.
struct SaveMachine: Sendable {
  /// What came of the last action.
  enum Event: Sendable, Equatable {
    /// The server's status, and whether the files that it is writing have grown since the last one.
    case status(ServerStatus, filesHaveGrown: Bool = false)
    /// `+Background saving started`: the child process is there.
    case started
    /// `+Background saving scheduled`.
    case scheduled
    /// `+OK` to `SAVE`.
    case saved
    /// An error reply.
    case refused(RedisServerError)
  }

  /// What to do next.
  enum Action: Sendable, Equatable {
    /// Ask for the status after a pause.
    case askStatus(after: Duration)
    /// Send `BGSAVE`.
    case sendBackgroundSave
    /// Send `BGSAVE SCHEDULE`.
    case sendScheduledSave
    /// Send `SAVE`.
    case sendSave
    /// The dump is there; with ``SaveMethod/sync``, every dump that begins from now on is of this run.
    case finish(SavedDump)
    /// There will be no dump.
    case fail(SaveFailure)
  }

  private enum State {
    case waitingForTurn
    case requested
    case scheduled
    case running
  }

  private static let shortestPause = Duration.milliseconds(5)
  private static let longestPause = Duration.milliseconds(500)

  private let method: SaveMethod
  private let stallTimeout: Duration
  private var state = State.waitingForTurn
  private var pause = Self.shortestPause
  private var stateEntry = Duration.zero
  private var lastMovement = Duration.zero
  private var lastStatus: ServerStatus?
  private var request: SavedDump?
  private var savesBefore: Int64?
  /// When a replica was first seen to wait for a dump.
  private var replicaWaitBegan: Duration?

  /// - Parameter stallTimeout: How long nothing may move on the server before the save counts as stuck.
  init(method: SaveMethod, stallTimeout: Duration) {
    self.method = method
    self.stallTimeout = stallTimeout
  }

  /// The first action.
  let first = Action.askStatus(after: .zero)

  /// Takes what came of the last action and gives the next one.
  ///
  /// - Parameter now: The time since the start; it never goes back.
  mutating func next(_ event: Event, at now: Duration) -> Action {
    switch (state, event) {
    case (.waitingForTurn, .status(let status, let grown)):
      if isBusy(status, at: now) { return poll(status, grown, at: now) }
      return ask(status, at: now)
    case (.requested, .started):
      return enter(.running, at: now)
    case (.requested, .scheduled):
      return enter(.scheduled, at: now)
    case (.requested, .saved):
      return request.map(Action.finish) ?? .fail(.refused("OK"))
    case (.requested, .refused(let error)):
      return refused(error, at: now)
    case (.scheduled, .status(let status, let grown)):
      // The count goes up when the child is forked, and nothing else shows the schedule.
      guard let before = savesBefore, let saves = status.rdbSaves, saves > before else {
        return poll(status, grown, at: now)
      }
      state = .running
      stateEntry = now
      return running(status, grown, at: now)
    case (.running, .status(let status, let grown)):
      return running(status, grown, at: now)
    default:
      return .askStatus(after: pause)
    }
  }

  private mutating func isBusy(_ status: ServerStatus, at now: Duration) -> Bool {
    // SAVE and an AOF rewrite get on with each other; a second dump at a time is always refused, and SYNC
    // would attach to one that began before it.
    status.rdbSaveInProgress == true || (method != .save && status.aofRewriteInProgress == true)
      || (method == .sync && givesWayToReplica(status, at: now))
  }

  /// One that waits would get the same dump as we, at the speed of the slower. It goes first, but not for
  /// ever: one whose synchronization fails comes again at once.
  private mutating func givesWayToReplica(_ status: ServerStatus, at now: Duration) -> Bool {
    guard status.replicaStates.contains("wait_bgsave") else { return false }
    let began = replicaWaitBegan ?? now
    replicaWaitBegan = began
    return now - began < stallTimeout
  }

  private mutating func ask(_ status: ServerStatus, at now: Duration) -> Action {
    let request = SavedDump(
      method: method, serverTimeAtRequest: status.serverTime,
      changesSinceLastSave: status.rdbChangesSinceLastSave)
    self.request = request
    savesBefore = status.rdbSaves
    lastMovement = now
    state = .requested
    return switch method {
    case .bgsave: .sendBackgroundSave
    case .save: .sendSave
    case .sync: .finish(request)
    }
  }

  private mutating func refused(_ error: RedisServerError, at now: Duration) -> Action {
    if error.message.contains("Background save already in progress") {
      return enter(.waitingForTurn, at: now)
    }
    if error.message.contains("Another child process is active") {
      // 6.2 has no count that would prove that a scheduled save has begun: wait for our turn there.
      return savesBefore == nil ? enter(.waitingForTurn, at: now) : .sendScheduledSave
    }
    return .fail(.refused(error.message))
  }

  private mutating func enter(_ state: State, at now: Duration) -> Action {
    self.state = state
    stateEntry = now
    lastMovement = now
    lastStatus = nil
    pause = Self.shortestPause
    return .askStatus(after: pause)
  }

  private mutating func running(
    _ status: ServerStatus, _ filesHaveGrown: Bool, at now: Duration
  ) -> Action {
    if status.rdbSaveInProgress == true { return poll(status, filesHaveGrown, at: now) }
    guard status.lastBackgroundSaveSucceeded == true, let request else {
      return .fail(.childFailed)
    }
    return .finish(request)
  }

  /// Asks again a little later, unless nothing has moved for too long.
  private mutating func poll(
    _ status: ServerStatus, _ filesHaveGrown: Bool, at now: Duration
  ) -> Action {
    if let lastStatus, !status.hasMoved(since: lastStatus), !filesHaveGrown {
      if now - lastMovement >= stallTimeout { return .fail(.stalled(stallTimeout)) }
    } else {
      lastMovement = now
    }
    lastStatus = status
    // The end of a save is seen late by a twentieth of its time at most, however long it takes.
    pause = min(max((now - stateEntry) / 20, Self.shortestPause), Self.longestPause)
    return .askStatus(after: pause)
  }
}

/// A dump that the server has written because this run asked for it.
struct SavedDump: Sendable, Equatable {
  /// How it was asked for.
  let method: SaveMethod
  /// The server's own clock just before, since 1970; nil where it does not tell.
  let serverTimeAtRequest: Duration?
  /// How many changes the data had seen since the save before.
  let changesSinceLastSave: Int64?
}

/// Why there is no dump.
enum SaveFailure: Error, Sendable, Equatable {
  /// The server answered with an error.
  case refused(String)
  /// The child process could not write the dump; the reason is only in the server's log.
  case childFailed
  /// The same for a dump that was to go to a replica.
  case childForReplicaFailed
  /// Nothing has moved for so long.
  case stalled(Duration)
}
