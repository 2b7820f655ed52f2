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
  /// Arrays, Redis 8.8 and later.
  public var array: UInt64
  /// Values of modules; the vector sets of Redis 8 are stored as such.
  public var module: UInt64

  /// Stores all counts; each is 0 by default.
  public init(
    string: UInt64 = 0, list: UInt64 = 0, set: UInt64 = 0, zset: UInt64 = 0, hash: UInt64 = 0,
    stream: UInt64 = 0, array: UInt64 = 0, module: UInt64 = 0
  ) {
    self.string = string
    self.list = list
    self.set = set
    self.zset = zset
    self.hash = hash
    self.stream = stream
    self.array = array
    self.module = module
  }

  /// Reads counts; a type that their writer did not know has none.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    self.init()
    for type in ValueType.allCases {
      self[type] = try container.decodeIfPresent(UInt64.self, forKey: Key(type)) ?? 0
    }
  }

  /// Writes the counts; arrays only where there are any.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    for type in ValueType.allCases where type != .array || array > 0 {
      try container.encode(self[type], forKey: Key(type))
    }
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
      case .array: array
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
      case .array: array = newValue
      case .module: module = newValue
      }
    }
  }

  /// The name of a type as a key of JSON.
  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ type: ValueType) {
      stringValue = type.rawValue
    }

    init?(stringValue: String) {
      self.stringValue = stringValue
    }

    init?(intValue: Int) {
      return nil
    }
  }
}
