import RDBFormat
import Synchronization

/// Which keys of a backup are wanted.
public struct KeyChoice: Sendable {
  /// Keys, byte for byte; each must be in the backup.
  public let keys: [[UInt8]]
  /// The one database that is looked at; nil for all of them.
  public let database: UInt64?
  private let wanted: Set<[UInt8]>
  private let patterns: [KeyPattern]

  /// Chooses keys by name and by pattern: those that either names.
  ///
  /// - Parameters:
  ///   - keys: Keys as they are.
  ///   - patterns: Patterns as the command KEYS takes them.
  ///   - database: The one database that is looked at; nil for all of them.
  public init(keys: [[UInt8]], patterns: [[UInt8]], database: UInt64?) {
    self.keys = keys
    self.database = database
    wanted = Set(keys)
    self.patterns = patterns.map { KeyPattern($0) }
  }

  /// Whether a key is wanted.
  func includes(_ key: RDBKey) -> Bool {
    if let database, key.database != database { return false }
    return wanted.contains(key.key) || patterns.contains { $0.matches(key.key) }
  }
}

/// Collects the wanted keys of a dump as they go by, in a bounded space.
final class ChosenKeys: Sendable {
  /// So many keys are kept at most.
  static let countLimit = 100_000
  /// Their names take so many bytes at most.
  static let nameByteLimit = 64 << 20

  private struct State: Sendable {
    var keys: [RDBKey] = []
    var nameByteCount = 0
    var isTooMuch = false
  }

  private let choice: KeyChoice
  private let state = Mutex(State())

  init(_ choice: KeyChoice) {
    self.choice = choice
  }

  /// Looks at the next key.
  func take(_ key: RDBKey) {
    guard choice.includes(key) else { return }
    state.withLock { state in
      guard state.keys.count < Self.countLimit,
        state.nameByteCount + key.key.count <= Self.nameByteLimit
      else {
        state.isTooMuch = true
        return
      }
      state.nameByteCount += key.key.count
      state.keys.append(key)
    }
  }

  /// The wanted keys in the order of the dump.
  ///
  /// - Throws: ``BackupError`` when there are too many, none, or one that was named is not there.
  func finish(in path: String) throws(BackupError) -> [RDBKey] {
    let state = state.withLock { $0 }
    guard !state.isTooMuch else { throw .tooManyKeysChosen(path, limit: Self.countLimit) }
    let found = Set(state.keys.map(\.key))
    let missing = choice.keys.filter { !found.contains($0) }
    guard missing.isEmpty else {
      throw .keysNotInBackup(missing, path, database: choice.database)
    }
    guard !state.keys.isEmpty else { throw .noKeyMatches(path, database: choice.database) }
    if let key = state.keys.first(where: \.isCut) { throw .keyTooLong(key.key) }
    return state.keys
  }
}
