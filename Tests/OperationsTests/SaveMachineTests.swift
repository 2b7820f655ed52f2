import RedisClient
import Testing

@testable import Operations

/// A server's INFO with only what the save looks at.
private func status(
  saving: Bool = false, rewriting: Bool = false, lastSave: String = "ok", saves: Int? = 5,
  processed: Int = 0, replicaWaits: Bool = false
) -> ServerStatus {
  var lines = [
    "rdb_bgsave_in_progress:\(saving ? 1 : 0)", "aof_rewrite_in_progress:\(rewriting ? 1 : 0)",
    "rdb_last_bgsave_status:\(lastSave)", "server_time_usec:1795399200500000",
    "rdb_changes_since_last_save:7", "current_save_keys_processed:\(processed)",
  ]
  if replicaWaits {
    lines.append("slave0:ip=127.0.0.1,port=6380,state=wait_bgsave,offset=0,lag=0,type=replica")
  }
  if let saves { lines.append("rdb_saves:\(saves)") }
  return ServerStatus(info: lines.joined(separator: "\r\n"))
}

private func error(_ message: String) -> SaveMachine.Event {
  .refused(RedisServerError("ERR " + message))
}

private let childActive = error(
  "Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to "
    + "schedule a BGSAVE whenever possible.")

struct SaveMachineTests {
  private func machine(_ method: SaveMethod = .bgsave) -> SaveMachine {
    SaveMachine(method: method, stallTimeout: .seconds(60))
  }

  private func saved(_ method: SaveMethod = .bgsave) -> SaveMachine.Action {
    .finish(
      SavedDump(
        method: method, serverTimeAtRequest: .microseconds(1_795_399_200_500_000),
        changesSinceLastSave: 7))
  }

  private func isPoll(_ action: SaveMachine.Action) -> Bool {
    if case .askStatus = action { true } else { false }
  }

  @Test func `a started background save that ends well is the dump`() {
    var machine = machine()
    #expect(machine.first == .askStatus(after: .zero))
    #expect(machine.next(.status(status()), at: .zero) == .sendBackgroundSave)
    #expect(isPoll(machine.next(.started, at: .zero)))
    #expect(isPoll(machine.next(.status(status(saving: true)), at: .seconds(1))))
    #expect(machine.next(.status(status(saves: 6)), at: .seconds(2)) == saved())
  }

  @Test func `a background save that ends badly fails`() {
    var machine = machine()
    _ = machine.next(.status(status()), at: .zero)
    _ = machine.next(.started, at: .zero)
    #expect(machine.next(.status(status(lastSave: "err")), at: .seconds(1)) == .fail(.childFailed))
  }

  @Test func `the save of somebody else is waited for and does not count`() {
    var machine = machine()
    #expect(isPoll(machine.next(.status(status(saving: true)), at: .zero)))
    #expect(machine.next(.status(status(saves: 6)), at: .seconds(1)) == .sendBackgroundSave)
  }

  @Test func `a dump for a replica is asked for only while no other is being made`() {
    var machine = machine(.sync)
    #expect(isPoll(machine.next(.status(status(saving: true)), at: .zero)))
    #expect(isPoll(machine.next(.status(status(rewriting: true)), at: .seconds(1))))
    #expect(machine.next(.status(status()), at: .seconds(2)) == saved(.sync))
  }

  @Test
  func `a replica that waits goes first, but not one that always comes again`() {
    var machine = machine(.sync)
    for second in 0..<60 {
      let waits = status(
        saving: second % 2 == 0, processed: second, replicaWaits: second % 2 == 1 || second == 0)
      #expect(isPoll(machine.next(.status(waits), at: .seconds(100 + second))))
    }
    let last = status(processed: 60, replicaWaits: true)
    #expect(isPoll(machine.next(.status(last), at: .seconds(160))))
    #expect(isPoll(machine.next(.status(status(saving: true)), at: .milliseconds(160_500))))
    #expect(machine.next(.status(last), at: .seconds(161)) == saved(.sync))
  }

  @Test func `a save that began between question and request is waited for`() {
    var machine = machine()
    _ = machine.next(.status(status()), at: .zero)
    #expect(isPoll(machine.next(error("Background save already in progress"), at: .zero)))
    #expect(isPoll(machine.next(.status(status(saving: true)), at: .zero)))
    #expect(machine.next(.status(status()), at: .zero) == .sendBackgroundSave)
  }

  @Test func `a rewrite that began in between leads to a scheduled save, proven by the count`() {
    var machine = machine()
    _ = machine.next(.status(status()), at: .zero)
    #expect(machine.next(childActive, at: .zero) == .sendScheduledSave)
    #expect(isPoll(machine.next(.scheduled, at: .zero)))
    #expect(isPoll(machine.next(.status(status(rewriting: true)), at: .seconds(1))))
    #expect(isPoll(machine.next(.status(status()), at: .seconds(2))))
    #expect(isPoll(machine.next(.status(status(saving: true, saves: 6)), at: .seconds(3))))
    #expect(machine.next(.status(status(saves: 6)), at: .seconds(4)) == saved())
  }

  @Test func `without a count the rewrite is waited for and the save asked for again`() {
    var machine = machine()
    _ = machine.next(.status(status(saves: nil)), at: .zero)
    #expect(isPoll(machine.next(childActive, at: .zero)))
    #expect(isPoll(machine.next(.status(status(rewriting: true, saves: nil)), at: .zero)))
    #expect(machine.next(.status(status(saves: nil)), at: .zero) == .sendBackgroundSave)
  }

  @Test func `a blocking save does not wait for a rewrite`() {
    var machine = machine(.save)
    #expect(machine.next(.status(status(rewriting: true)), at: .zero) == .sendSave)
    #expect(machine.next(.saved, at: .seconds(3)) == saved(.save))
  }

  @Test func `any other refusal ends it`() {
    var machine = machine(.save)
    _ = machine.next(.status(status()), at: .zero)
    #expect(machine.next(error("no"), at: .zero) == .fail(.refused("ERR no")))
  }

  @Test func `a save in which nothing moves for the stall time fails, however long it has run`() {
    var machine = machine()
    _ = machine.next(.status(status()), at: .zero)
    _ = machine.next(.started, at: .zero)
    for hour in 1...5 {
      let moving = status(saving: true, processed: hour)
      #expect(isPoll(machine.next(.status(moving), at: .seconds(3600 * hour))))
    }
    let stuck = status(saving: true, processed: 5)
    #expect(isPoll(machine.next(.status(stuck), at: .seconds(18_059))))
    #expect(machine.next(.status(stuck), at: .seconds(18_060)) == .fail(.stalled(.seconds(60))))
  }

  @Test func `a save over one large value moves as long as its file grows`() {
    var machine = machine()
    _ = machine.next(.status(status()), at: .zero)
    _ = machine.next(.started, at: .zero)
    let same = status(saving: true)
    for minute in 1...5 {
      #expect(
        isPoll(machine.next(.status(same, filesHaveGrown: true), at: .seconds(60 * minute))))
    }
    #expect(machine.next(.status(same), at: .seconds(360)) == .fail(.stalled(.seconds(60))))
  }

  @Test(arguments: [
    (1, 5), (90, 5), (200, 10), (2000, 100), (60_000, 500), (10_000_000, 500),
  ])
  func `the end of a save is looked for after a twentieth of its time`(
    elapsed: Int, pause: Int
  ) {
    var machine = machine()
    _ = machine.next(.status(status()), at: .seconds(5))
    _ = machine.next(.started, at: .seconds(5))
    let now = Duration.seconds(5) + .milliseconds(elapsed)
    #expect(
      machine.next(.status(status(saving: true, processed: 1)), at: now)
        == .askStatus(after: .milliseconds(pause)))
  }
}
