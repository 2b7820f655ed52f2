import RDBFormat
import RedisClient

/// What a server holds now beside what a backup holds, and who uses it; what it does not tell is left out.
struct PresentData: Sendable, Equatable {
  /// A stream that the backup holds too.
  struct Stream: Sendable, Equatable {
    /// Where it stands now; nil when there is none of that key, or the server does not tell.
    let state: StreamState?
    /// The ids, of those that were pending when the backup was written, that are pending now, by group;
    /// a group that is not asked for, or cannot be, is missing.
    let pending: [[UInt8]: Set<StreamID>]
  }

  /// In the order of the backup's list.
  var streams: [Stream] = []
  /// The connections of others; nil where the user may not list them.
  var clients: [ClientConnection]?
  /// What the server said to a user who may not see what is left out.
  var refusals = Refusals()

  /// Replies that name a right that the user lacks.
  struct Refusals: Sendable, Equatable {
    var clients: String?
    var streams: String?
    var pending: String?
  }

  /// Looks at a server.
  ///
  /// - Parameter streams: The streams of the backup.
  static func read(
    _ streams: [StreamSummary], on connection: ServerConnection
  ) async throws -> PresentData {
    var present = PresentData()
    do {
      present.clients = try await connection.clients()
    } catch RedisError.server(let reply) {
      present.refusals.clients = reply.message
    }
    var selected: UInt64?
    for stream in streams {
      try Task.checkCancellation()
      do {
        if selected != stream.database {
          try await connection.redis.select(
            database: Int(clamping: stream.database), timeout: connection.replyTimeout)
          selected = stream.database
        }
        present.streams.append(
          try await read(stream, on: connection, &present.refusals))
      } catch RedisError.server(let reply) {
        // Another type, or a user who may not look.
        if reply.code == "NOPERM" { present.refusals.streams = reply.message }
        present.streams.append(Stream(state: nil, pending: [:]))
      }
    }
    return present
  }

  private static func read(
    _ stream: StreamSummary, on connection: ServerConnection, _ refusals: inout Refusals
  ) async throws -> Stream {
    let state = try await connection.redis.streamState(
      key: stream.key, timeout: connection.replyTimeout)
    var pending: [[UInt8]: Set<StreamID>] = [:]
    for group in state?.groups ?? [] {
      let wanted = stream.groups.first { $0.name == group.name }?.pendingEntries ?? []
      do {
        pending[group.name] = try await connection.pendingIDs(
          among: wanted, of: stream.key, group.name)
      } catch RedisError.server(let reply) {
        // A group that is gone meanwhile, or a user who may not look.
        if reply.code == "NOPERM" { refusals.pending = reply.message }
      }
    }
    return Stream(state: state, pending: pending)
  }
}

/// A connection of a client, as `CLIENT LIST` tells it.
struct ClientConnection: Sendable, Equatable {
  let host: String
  let name: String
  let lastCommand: String

  /// Reads a line; nil for what is no client.
  init?(line: Substring) {
    var fields: [Substring: Substring] = [:]
    for word in line.split(separator: " ") {
      guard let equals = word.firstIndex(of: "=") else { continue }
      fields[word[..<equals]] = word[word.index(after: equals)...]
    }
    guard let address = fields["addr"] else { return nil }
    host = address.lastIndex(of: ":").map { String(address[..<$0]) } ?? String(address)
    name = String(fields["name"] ?? "")
    lastCommand = String(fields["cmd"] ?? "")
  }
}

extension ServerConnection {
  /// More entries than this are not asked for at once.
  private static let pendingLimit = PendingEntry.limit

  /// The connections of others.
  fileprivate func clients() async throws -> [ClientConnection]? {
    let own = try await send("CLIENT", "ID").integer
    guard let text = try await send("CLIENT", "LIST").text, let own else { return nil }
    return text.split(whereSeparator: \.isNewline)
      .filter { !$0.hasPrefix("id=\(own) ") }.compactMap(ClientConnection.init(line:))
  }

  /// Which of some entries are pending in a group; nil where there are too many to tell.
  fileprivate func pendingIDs(
    among entries: [PendingEntry], of key: [UInt8], _ group: [UInt8]
  ) async throws -> Set<StreamID>? {
    guard let first = entries.first?.id, let last = entries.last?.id else { return nil }
    let words = ["\(first)", "\(last)", "\(Self.pendingLimit)"].map { Array($0.utf8) }
    let reply = try await redis.send(
      [Array("XPENDING".utf8), key, group] + words, timeout: replyTimeout)
    // With more between them than one answer holds, absence proves nothing.
    guard let found = reply.array, found.count < Self.pendingLimit else { return nil }
    return Set(found.compactMap { $0.array?.first?.text.flatMap(StreamID.init) })
  }
}
