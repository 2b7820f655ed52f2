import RedisClient
import Targets

/// Brings the server to write a dump for this run: carries out what ``SaveMachine`` decides.
struct SaveDump: Sendable {
  let method: SaveMethod
  /// Where the server writes, so that `SAVE`, during which it answers nobody, can be watched; nil where that
  /// cannot be seen.
  let files: UnfinishedFiles?
  let limits: TimeLimits
  let report: ProgressReport
  /// Called just before the server is asked to write.
  var willAsk: @Sendable () throws -> Void = {}

  /// - Throws: ``SaveFailure``, `RedisError`, and what `willAsk` throws.
  func run(on connection: ServerConnection) async throws -> SavedDump {
    var machine = SaveMachine(method: method, stallTimeout: limits.stall)
    var files = files
    var action = machine.first
    let clock = ContinuousClock()
    let start = clock.now
    while true {
      let event: SaveMachine.Event
      switch action {
      case .askStatus(let pause):
        try await Task.sleep(for: pause)
        let status = try await connection.status()
        if let share = status.savedShare { report(.fraction(share)) }
        event = .status(status, filesHaveGrown: try await files?.haveGrown() ?? false)
      case .sendBackgroundSave: event = try await reply { try await connection.send("BGSAVE") }
      case .sendScheduledSave:
        event = try await reply { try await connection.send("BGSAVE", "SCHEDULE") }
      case .sendSave: event = try await reply { try await saveWatched(connection) }
      case .finish(let dump): return dump
      case .fail(let failure): throw failure
      }
      action = machine.next(event, at: clock.now - start)
    }
  }

  private func reply(
    to command: () async throws -> RESPValue
  ) async throws -> SaveMachine.Event {
    try willAsk()
    do {
      let text = try await command().text ?? ""
      if text.contains("scheduled") { return .scheduled }
      return text == "OK" ? .saved : .started
    } catch RedisError.server(let error) where error.code == "ERR" {
      return .refused(error)
    }
  }

  /// Sends `SAVE` and waits as long as the dump that the server writes goes on growing.
  private func saveWatched(_ connection: ServerConnection) async throws -> RESPValue {
    try await withThrowingTaskGroup(of: RESPValue?.self) { group in
      group.addTask {
        try await connection.redis.send(
          [Array("SAVE".utf8)], timeout: .seconds(7 * 24 * 3600))
      }
      group.addTask {
        try await failWhenStalled()
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next().flatMap { $0 } ?? .null
    }
  }

  private func failWhenStalled() async throws {
    let clock = ContinuousClock()
    var files = files
    var lastMovement = clock.now
    while true {
      try await Task.sleep(for: limits.stall / 8)
      if try await files?.haveGrown() == true { lastMovement = clock.now }
      if clock.now - lastMovement >= limits.stall { throw SaveFailure.stalled(limits.stall) }
    }
  }
}

/// The path of a name in a directory.
func join(_ directory: String, _ name: String) -> String {
  directory.hasSuffix("/") ? directory + name : "\(directory)/\(name)"
}
