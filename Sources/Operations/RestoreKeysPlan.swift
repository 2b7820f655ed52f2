import FoundationEssentials
import RDBFormat
import RedisClient

/// What a restore of single keys is about to do; a value, worked out from facts alone.
public struct RestoreKeysPlan: Sendable, Equatable {
  /// What happens to a key.
  public enum Action: String, Sendable, Codable {
    /// It is written where there is none.
    case create
    /// It is written in place of the one that is there.
    case replace
    /// It is left out, because its time has passed.
    case expired
  }

  /// One key.
  public struct Key: Sendable, Equatable {
    /// The database that holds it, in the backup and on the server.
    public let database: UInt64
    /// The key.
    public let key: [UInt8]
    /// The type of its value.
    public let type: ValueType
    /// The size of the payload that `RESTORE` gets.
    public let bytes: UInt64
    /// Elements, fields or entries; 1 for strings and modules.
    public let elements: UInt64
    /// When it expires by the backup, in milliseconds since 1970; nil for never.
    public let expiresAtInBackup: Int64?
    /// When it will expire, in milliseconds since 1970; nil for never.
    public let expiresAt: Int64?
    /// What happens to it.
    public let action: Action
    let value: RDBKey.Value
  }

  /// What decides, besides the backup.
  struct Facts: Sendable {
    let identity: String
    let server: String
    /// The server's clock, in milliseconds since 1970.
    let serverTime: Int64
    /// Which keys the server has now, in the order of the chosen ones.
    let present: [Bool]
    let replaces: Bool
    let takesSafetyBackup: Bool
  }

  /// All chosen keys in the order of the backup.
  public let keys: [Key]
  /// What is restored, and where.
  public let summary: [String]
  /// What the user should weigh.
  public let risks: [String]
  /// Whether keys that are there may be replaced.
  let replaces: Bool

  /// Decides about every key.
  init(_ chosen: [RDBKey], of candidate: RestoreCandidate, rule: ExpiryRule, facts: Facts) {
    let age = facts.serverTime - (candidate.writtenAt ?? facts.serverTime)
    let keys = zip(chosen, facts.present).map { key, isPresent in
      let expiresAt = rule.applied(to: key.expiresAt, age: age)
      let isPast = expiresAt.map { $0 <= facts.serverTime } ?? false
      return Key(
        database: key.database, key: key.key, type: key.type,
        bytes: DumpPayload.byteCount(valueByteCount: key.value.byteCount),
        elements: key.elements, expiresAtInBackup: key.expiresAt, expiresAt: expiresAt,
        action: isPast ? .expired : isPresent ? .replace : .create, value: key.value)
    }
    self.keys = keys
    replaces = facts.replaces
    summary = [
      "restore \(Figures.keys(keys.count)) of \(candidate.path)",
      "written \(Sentences.time(candidate.summary.aux["ctime"]))",
      "into the running \(facts.identity) (\(facts.server)), without a restart",
    ]
    risks = Self.risks(keys, rule, facts)
  }

  /// How many keys have that fate.
  public func count(_ action: Action) -> Int { keys.count { $0.action == action } }

  private static func risks(_ keys: [Key], _ rule: ExpiryRule, _ facts: Facts) -> [String] {
    var risks = ["clients see each key as soon as it is written"]
    let replaced = keys.count { $0.action == .replace }
    if replaced > 0 {
      risks.append(
        "replaced: \(Figures.keys(replaced)); "
          + (facts.takesSafetyBackup
            ? "the safety backup holds what is there now, but not what is written there after it"
            : "what is there now is lost"))
    }
    let expired = keys.count { $0.action == .expired }
    if expired > 0 {
      risks.append(
        "left out because expired: \(Figures.keys(expired)); --ttl extend or drop writes them")
    }
    if rule != .keep, keys.contains(where: { $0.value.holdsFieldExpiries }) {
      risks.append("the expiry times of hash fields stay as they are in the backup")
    }
    return risks
  }
}

extension RDBKey.Value {
  /// Its size in bytes.
  var byteCount: UInt64 { range.upperBound - range.lowerBound }

  /// Whether it is a hash whose fields can have expiry times of their own.
  var holdsFieldExpiries: Bool { (22...25).contains(typeCode) }
}

extension RestoreCandidate {
  /// When the dump was begun by the server's clock, in milliseconds since 1970; nil where it does not say.
  var writtenAt: Int64? {
    guard let seconds = summary.aux["ctime"].flatMap(Int64.init), seconds >= 0,
      seconds < Int64.max / 1000
    else { return nil }
    return seconds * 1000
  }
}
