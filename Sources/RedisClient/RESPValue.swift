/// One reply of the RESP2 protocol.
///
/// Source: the Redis serialization protocol specification, version 2.
public enum RESPValue: Sendable, Equatable {
  /// A short status line such as `OK`.
  case simple(String)
  /// An error reply; in an array it belongs to one element only.
  case error(RedisServerError)
  /// A signed 64-bit integer.
  case integer(Int64)
  /// A string of bytes, which need not be text.
  case bulk([UInt8])
  /// A string of bytes that was read and not kept, because it is above a limit of the decoder.
  case elided(byteCount: UInt64)
  /// Replies in the server's order.
  case array([RESPValue])
  /// The null bulk string or the null array.
  case null
}

extension RESPValue {
  /// The bytes of a status line or of a bulk string; nil for every other value.
  public var bytes: [UInt8]? {
    switch self {
    case .simple(let line): Array(line.utf8)
    case .bulk(let bytes): bytes
    default: nil
    }
  }

  /// A status line or a bulk string as text, invalid UTF-8 repaired; nil for every other value.
  public var text: String? {
    switch self {
    case .simple(let line): line
    case .bulk(let bytes): String(decoding: bytes, as: UTF8.self)
    default: nil
    }
  }

  /// The number of an integer reply; nil for every other value.
  public var integer: Int64? {
    if case .integer(let number) = self { number } else { nil }
  }

  /// The elements of an array reply; nil for every other value.
  public var array: [RESPValue]? {
    if case .array(let elements) = self { elements } else { nil }
  }
}
