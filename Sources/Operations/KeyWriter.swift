import RDBFormat
import RedisClient

/// Writes keys to a server while the dump that holds them goes by.
///
/// Each key is a transaction of its own: `RESTORE`, and the commands that look at it before anybody else
/// can. Values are passed on in pieces, and a bounded number of transactions wait for their replies. After
/// the first failure nothing more is begun.
actor KeyWriter {
  private static let pieceByteCount = 256 << 10
  private static let multi = RESPCommand([Array("MULTI".utf8)]).encoded
  private static let waitingLimit = 64
  /// So that on a slow line no reply is waited for while much is still to be sent in front of it.
  private static let waitingByteLimit = 1 << 20

  private struct Waiting {
    let index: Int
    let check: KeyCheck
    let byteCount: Int
    let replies: [PendingReplies]
  }

  private let connection: ServerConnection
  private let keys: [RestoreKeysPlan.Key]
  private let checks: [KeyCheck]
  private let version: Int
  private let stop: StopSign
  private var cutter: PayloadCutter
  private var payload: DumpPayload?
  private var opening: PendingReplies?
  private var buffer: [UInt8] = []
  private var tail: [UInt8] = []
  private var database: UInt64?
  private var waiting: [Waiting] = []
  private var waitingByteCount = 0
  /// What became of each key so far.
  private(set) var states: [KeyState]
  /// Why no more keys are written; nil as long as nothing is wrong.
  private(set) var failure: (any Error)?

  /// - Parameters:
  ///   - checks: The keys in the order of the dump.
  ///   - version: The RDB version of the dump.
  ///   - stop: Says when nothing more is to be begun.
  init(_ checks: [KeyCheck], version: Int, on connection: ServerConnection, stop: StopSign) {
    self.connection = connection
    self.checks = checks
    keys = checks.map(\.key)
    self.version = version
    self.stop = stop
    cutter = PayloadCutter(keys.map(\.value.range))
    states = Array(repeating: .notWritten, count: keys.count)
  }

  /// Takes the next block of the dump.
  ///
  /// - Returns: Whether there is more to write.
  func take(_ block: [UInt8]) async -> Bool {
    guard failure == nil else { return false }
    do {
      for piece in cutter.cut(blockOf: block.count) {
        try stop.check()
        switch piece {
        case .begin(let index): try await begin(index)
        case .bytes(let range): try await pass(block.span.extracting(range))
        case .end(let index): try await end(index)
        }
        if failure != nil { return false }
      }
      return !cutter.isDone
    } catch {
      failure = failure ?? error
      return false
    }
  }

  /// Waits for the replies that are still to come; a key that was sent in part is forgotten by the server
  /// when the connection closes.
  func finish() async {
    while !waiting.isEmpty { await settleFirst() }
    if failure == nil, !cutter.isDone {
      failure = BackupError.internalError("the dump ended before the keys did")
    }
  }

  private func begin(_ index: Int) async throws {
    let key = keys[index]
    if database != key.database {
      try await connection.redis.select(
        database: Int(clamping: key.database), timeout: connection.replyTimeout)
      database = key.database
    }
    let (head, tail) = RESPCommand.encoded(
      [Array("RESTORE".utf8), key.key, Array(String(key.expiresAt ?? 0).utf8)],
      argumentOf: key.bytes, options(of: key))
    let payload = DumpPayload(typeCode: key.value.typeCode, version: version)
    buffer = head + payload.head
    self.payload = payload
    self.tail = tail
  }

  private func options(of key: RestoreKeysPlan.Key) -> [[UInt8]] {
    var words = ["ABSTTL"]
    // Not where there was none: somebody may have made it since.
    if key.action == .replace { words.append("REPLACE") }
    if let seconds = key.value.idleSeconds {
      words += ["IDLETIME", String(min(seconds, UInt64(UInt32.max)))]
    } else if let frequency = key.value.useFrequency {
      words += ["FREQ", String(frequency)]
    }
    return words.map { Array($0.utf8) }
  }

  private func pass(_ bytes: Span<UInt8>) async throws {
    payload?.update(bytes)
    buffer.reserveCapacity(buffer.count + bytes.count)
    for index in bytes.indices { buffer.append(bytes[index]) }
    guard buffer.count >= Self.pieceByteCount else { return }
    // The reply to MULTI comes before the value ends, and must be waited for by then.
    opening =
      opening
      ?? connection.redis.send(
        Self.multi, replyCount: 1, to: "MULTI", timeout: connection.replyTimeout)
    let part = buffer
    buffer = []
    try await connection.redis.send(
      part: part, of: "RESTORE", timeout: connection.replyTimeout)
  }

  private func end(_ index: Int) async throws {
    let commands = checks[index].commands + [RESPCommand([Array("EXEC".utf8)])]
    buffer += (payload?.tail() ?? []) + tail + commands.flatMap(\.encoded)
    states[index] = .unknown
    let replies = connection.redis.send(
      opening == nil ? Self.multi + buffer : buffer,
      replyCount: commands.count + (opening == nil ? 2 : 1), to: "RESTORE",
      timeout: connection.replyTimeout)
    waiting.append(
      Waiting(
        index: index, check: checks[index], byteCount: buffer.count,
        replies: [opening, replies].compactMap(\.self)))
    waitingByteCount += buffer.count
    opening = nil
    buffer = []
    payload = nil
    while waiting.count >= Self.waitingLimit || waitingByteCount >= Self.waitingByteLimit {
      await settleFirst()
    }
  }

  private func settleFirst() async {
    let first = waiting.removeFirst()
    waitingByteCount -= first.byteCount
    do {
      var replies: [RESPValue] = []
      for pending in first.replies { replies += try await pending.values() }
      let state = Self.state(first.check, replies)
      states[first.index] = state
      switch state {
      case .refused(let error): failure = failure ?? RedisError.server(error)
      case .differs(let difference):
        failure =
          failure
          ?? DataDiffers(differences: ["\(printable(first.check.key.key)): \(difference)"])
      default: break
      }
    } catch {
      failure = failure ?? error
    }
  }

  /// Reads the replies of a transaction: what was queued, and at last what was done.
  private static func state(_ check: KeyCheck, _ replies: [RESPValue]) -> KeyState {
    let refusals = replies.compactMap { reply -> RedisServerError? in
      if case .error(let error) = reply { error } else { nil }
    }
    guard let results = replies.last?.array, let result = results.first else {
      // The first error says why; the last one only that the transaction was given up.
      return refusals.first.map { .refused($0) } ?? .unknown
    }
    if case .error(let error) = result { return .refused(error) }
    switch check.outcome(Array(results.dropFirst())) {
    case .written: return .written
    case .expired: return .expired
    case .differs(let difference): return .differs(difference)
    }
  }
}
