/// The first place where a stream of bytes is not a sequence of RESP2 replies, or not a dump for a
/// replica, within the limits.
public struct RESPError: Error, Sendable, Equatable {
  /// What is wrong.
  public enum Kind: Sendable, Equatable {
    /// A reply begins with a byte that is no RESP2 type.
    case unknownType(UInt8)
    /// A number is empty, has other characters than digits, or does not fit 64 bits.
    case invalidNumber
    /// A length is below zero and not the `-1` of a null.
    case negativeLength
    /// A line is longer than 64 KiB.
    case lineTooLong
    /// A line or a bulk string does not end in carriage return and line feed.
    case missingLineEnd
    /// Arrays are nested deeper than 16 levels.
    case nestedTooDeep
    /// One reply has more than a million elements in all its arrays.
    case tooManyElements
    /// The status and error lines of one reply are larger than 64 MiB together.
    case replyTooLarge
    /// A reply that no command asked for.
    case unrequestedReply
    /// The mark that is to end a dump has not 40 bytes.
    case invalidMark
  }

  /// What is wrong.
  public let kind: Kind
  /// Where the offending element begins, counted from the first byte of the stream.
  public let byteOffset: UInt64

  /// Makes an error.
  public init(_ kind: Kind, byteOffset: UInt64) {
    self.kind = kind
    self.byteOffset = byteOffset
  }
}

extension RESPError: CustomStringConvertible {
  /// The fact, with its place.
  public var description: String { "\(kind.fact) at byte \(byteOffset)" }
}

extension RESPError.Kind {
  fileprivate var fact: String {
    switch self {
    case .unknownType(let byte): "reply of unknown type \(byte)"
    case .invalidNumber: "invalid number"
    case .negativeLength: "negative length"
    case .lineTooLong: "line too long"
    case .missingLineEnd: "missing line end"
    case .nestedTooDeep: "arrays nested too deep"
    case .tooManyElements: "too many elements"
    case .replyTooLarge: "reply too large"
    case .unrequestedReply: "reply that no command asked for"
    case .invalidMark: "invalid end mark"
    }
  }
}
