import RDBFormat
import RedisClient

/// How a key is looked at in the same transaction that writes it, when nobody can have touched it yet.
struct KeyCheck: Sendable {
  /// What was found.
  enum Outcome: Sendable, Equatable {
    /// It is as in the backup.
    case written
    /// Its time passed while it was written.
    case expired
    /// It is not as in the backup.
    case differs(String)
  }

  private static let groupLimit = 1_000

  let key: RestoreKeysPlan.Key
  private let stream: StreamSummary?

  /// - Parameter stream: What the backup says of the stream, where the key is one.
  init(_ key: RestoreKeysPlan.Key, stream: StreamSummary?) {
    self.key = key
    self.stream = stream.flatMap { $0.groups.count <= Self.groupLimit ? $0 : nil }
  }

  /// What is asked, in order.
  var commands: [RESPCommand] {
    var commands = [command("TYPE"), command("PTTL")]
    if let stream {
      commands += [command("XINFO", "STREAM"), command("XINFO", "GROUPS")]
      commands += stream.groups.map { group in command("XINFO", "CONSUMERS", then: group.name) }
    } else if let lengthCommand {
      commands.append(command(lengthCommand))
    }
    return commands
  }

  /// The command that counts elements; nil where there is none, and where the server keeps account of the
  /// use of keys: to ask for the length would be a use.
  private var lengthCommand: String? {
    guard key.value.idleSeconds == nil, key.value.useFrequency == nil else { return nil }
    return key.type.lengthCommand
  }

  /// Compares the replies.
  func outcome(_ replies: [RESPValue]) -> Outcome {
    guard replies.count == commands.count, let type = replies[0].text,
      let lifetime = replies[1].integer
    else { return .differs("the server answers in an unexpected way") }
    if type == "none", key.expiresAt != nil || key.value.holdsFieldExpiries { return .expired }
    guard type == key.type.rawValue || (key.type == .module && type != "none") else {
      return .differs("its type is \(type) instead of \(key.type.rawValue)")
    }
    guard (lifetime >= 0) == (key.expiresAt != nil) else {
      return .differs(lifetime >= 0 ? "it has an expiry time" : "it has no expiry time")
    }
    if let stream { return compare(stream, replies) }
    guard lengthCommand != nil else { return .written }
    guard let length = replies[2].integer.map({ UInt64(clamping: $0) }) else {
      return .differs("the server does not tell its length")
    }
    // Fields may have expired since the backup.
    let fits = key.value.holdsFieldExpiries ? length <= key.elements : length == key.elements
    return fits ? .written : .differs("its length is \(length) instead of \(key.elements)")
  }

  private func compare(_ stream: StreamSummary, _ replies: [RESPValue]) -> Outcome {
    guard
      let found = StreamState(
        stream: replies[2], groups: replies[3],
        consumers: zip(stream.groups, replies.dropFirst(4)).map { ($0.name, $1) })
    else { return .differs("the server does not tell the state of the stream") }
    let differences = StreamComparison(expected: stream, found: found)
      .differences(writesSeen: false)
    return differences.isEmpty ? .written : .differs(differences.joined(separator: "; "))
  }

  private func command(_ words: String..., then argument: [UInt8]? = nil) -> RESPCommand {
    RESPCommand(words.map { Array($0.utf8) } + [key.key] + (argument.map { [$0] } ?? []))
  }
}

extension ValueType {
  /// The command that counts what ``RDBKey/elements`` counts; nil where there is none.
  fileprivate var lengthCommand: String? {
    switch self {
    case .string, .array, .module: nil
    case .list: "LLEN"
    case .set: "SCARD"
    case .zset: "ZCARD"
    case .hash: "HLEN"
    case .stream: "XLEN"
    }
  }
}
