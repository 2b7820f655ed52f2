import FoundationEssentials
import Operations
import RDBFormat

/// Plans and results of a restore of single keys for people.
enum RestoreKeysText {
  private static let listedCount = 20

  static func show(_ plan: RestoreKeysPlan, on output: Output) {
    let rows = plan.keys.prefix(listedCount).map { key in
      [
        key.action.rawValue, "\(key.database)", Shown.name(key.key), key.type.rawValue,
        "\(key.elements)", Figures.bytes(key.bytes), Shown.time(key.expiresAt) ?? "never",
      ]
    }
    var text = plan.summary.joined(separator: "\n") + "\n\n"
    text += Table.text(["ACTION", "DB", "KEY", "TYPE", "ELEMENTS", "SIZE", "EXPIRES"], rows)
    if plan.keys.count > listedCount {
      text += "and \(plan.keys.count - listedCount) more; --json lists all of them\n"
    }
    if !plan.risks.isEmpty {
      text += "\nNote:\n" + plan.risks.map { "  - \($0)\n" }.joined()
    }
    output.write(text + "\n")
  }

  static func show(_ result: RestoreKeysResult) {
    let written = result.count { $0 == .written }
    var lines = [
      (result.outcome == .restored ? "restored: " : "not all restored: ")
        + "\(Figures.keys(written)) written and compared"
    ]
    let expired = result.count { $0 == .expired }
    if expired > 0 { lines.append("  \(Figures.keys(expired)) left out because expired") }
    for (key, state) in zip(result.plan.keys, result.states ?? []).lazy
      .filter({ $1 != .written && $1 != .expired }).prefix(listedCount)
    {
      lines.append(
        "  \(state.word.split(separator: "_").joined(separator: " ")): \(Shown.name(key.key))")
    }
    if let path = result.safetyBackup { lines.append("  the data before is in \(path)") }
    Output.standard.write(lines.joined(separator: "\n") + "\n")
  }
}

extension KeyState {
  /// A word for programs.
  var word: String {
    switch self {
    case .written: "written"
    case .expired: "expired"
    case .refused: "refused"
    case .differs: "differs"
    case .notWritten: "not_written"
    case .unknown: "unknown"
    }
  }
}

/// The document of `restore --json` with `--key` or `--match`.
struct RestoreKeysDocument: Encodable {
  private struct Key: Encodable {
    let key: RestoreKeysPlan.Key
    let state: KeyState?

    enum CodingKeys: String, CodingKey {
      case database, key, type, bytes, elements, action, state, message
      case keyBase64 = "key_base64"
      case expiresAt = "expires_at"
      case expiresAtInBackup = "expires_at_in_backup"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(key.database, forKey: .database)
      try container.encodeBytes(key.key, text: .key, base64: .keyBase64)
      try container.encode(key.type, forKey: .type)
      try container.encode(key.bytes, forKey: .bytes)
      try container.encode(key.elements, forKey: .elements)
      try container.encode(
        Shown.time(key.expiresAtInBackup), forKey: .expiresAtInBackup)
      try container.encode(Shown.time(key.expiresAt), forKey: .expiresAt)
      try container.encode(key.action, forKey: .action)
      try container.encode(state?.word, forKey: .state)
      try container.encode(state?.message, forKey: .message)
    }
  }

  private let result: RestoreKeysResult

  init(_ result: RestoreKeysResult) {
    self.result = result
  }

  enum CodingKeys: String, CodingKey {
    case result, keys, created, replaced, expired
    case schemaVersion = "schema_version"
    case notWritten = "not_written"
    case safetyBackup = "safety_backup"
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    let keys = result.plan.keys
    let states: [KeyState?] = result.states ?? Array(repeating: nil, count: keys.count)
    func count(_ action: RestoreKeysPlan.Action) -> Int {
      zip(keys, states).count { $0.action == action && ($1 ?? .written) == .written }
    }
    let expired = zip(keys, states).count { ($1 ?? .written) == .expired || $0.action == .expired }
    try container.encode(1, forKey: .schemaVersion)
    try container.encode(result.outcome.rawValue, forKey: .result)
    try container.encode(zip(keys, states).map { Key(key: $0, state: $1) }, forKey: .keys)
    try container.encode(count(.create), forKey: .created)
    try container.encode(count(.replace), forKey: .replaced)
    try container.encode(expired, forKey: .expired)
    try container.encode(
      keys.count - count(.create) - count(.replace) - expired, forKey: .notWritten)
    try container.encode(result.safetyBackup, forKey: .safetyBackup)
  }
}
