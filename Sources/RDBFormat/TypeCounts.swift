/// Keys per type.
public struct TypeCounts: Codable, Sendable, Equatable {
  /// Strings, bitmaps and HyperLogLogs included.
  public var string: UInt64
  /// Lists.
  public var list: UInt64
  /// Sets.
  public var set: UInt64
  /// Sorted sets, geographical indexes included.
  public var zset: UInt64
  /// Hashes.
  public var hash: UInt64
  /// Streams.
  public var stream: UInt64
  /// Values of modules; the vector sets of Redis 8 are stored as such.
  public var module: UInt64

  /// Stores all counts; each is 0 by default.
  public init(
    string: UInt64 = 0, list: UInt64 = 0, set: UInt64 = 0, zset: UInt64 = 0, hash: UInt64 = 0,
    stream: UInt64 = 0, module: UInt64 = 0
  ) {
    self.string = string
    self.list = list
    self.set = set
    self.zset = zset
    self.hash = hash
    self.stream = stream
    self.module = module
  }

  /// The count of one type.
  public subscript(type: ValueType) -> UInt64 {
    get {
      switch type {
      case .string: string
      case .list: list
      case .set: set
      case .zset: zset
      case .hash: hash
      case .stream: stream
      case .module: module
      }
    }
    set {
      switch type {
      case .string: string = newValue
      case .list: list = newValue
      case .set: set = newValue
      case .zset: zset = newValue
      case .hash: hash = newValue
      case .stream: stream = newValue
      case .module: module = newValue
      }
    }
  }
}
