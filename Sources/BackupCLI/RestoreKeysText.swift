import FoundationEssentials
import Operations
import RDBFormat

/// Plans and results of a restore of single keys for people.
enum RestoreKeysText {
  private static let listedCount = 20

  static func show(_ plan: RestoreKeysPlan, on output: Output) {
    let rows = plan.keys.prefix(listedCount).map { key in
      [
        key.action.rawValue, "\(key.database)", name(key.key), key.type.rawValue,
        "\(key.elements)", Figures.bytes(key.bytes), time(key.expiresAt) ?? "never",
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
      lines.append("  \(state.word.split(separator: "_").joined(separator: " ")): \(name(key.key))")
    }
    if let path = result.safetyBackup { lines.append("  the data before is in \(path)") }
    Output.standard.write(lines.joined(separator: "\n") + "\n")
  }

  static func time(_ milliseconds: Int64?) -> String? {
    milliseconds.map {
      Date(timeIntervalSince1970: Double($0) / 1000)
        .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
  }

  /// A key as one line of a terminal can show it.
  private static func name(_ key: [UInt8]) -> String {
    let shown = key.prefix(60).map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    return key.count > 60 ? shown + "…" : shown
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
      if let text = String(validating: key.key, as: UTF8.self) {
        try container.encode(text, forKey: .key)
      } else {
        try container.encode(Data(key.key).base64EncodedString(), forKey: .keyBase64)
      }
      try container.encode(key.type, forKey: .type)
      try container.encode(key.bytes, forKey: .bytes)
      try container.encode(key.elements, forKey: .elements)
      try container.encode(
        RestoreKeysText.time(key.expiresAtInBackup), forKey: .expiresAtInBackup)
      try container.encode(RestoreKeysText.time(key.expiresAt), forKey: .expiresAt)
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
