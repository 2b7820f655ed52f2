/// Why a stream of bytes is not a whole RDB file: the facts of the first fault.
public struct RDBError: Error, Sendable, Equatable {
  /// What is wrong.
  public let kind: Kind
  /// Where the faulty element begins, in bytes from the start of the file; for a fault inside a
  /// compressed string, where that string begins; for a cut, the size of the file.
  public let byteOffset: UInt64
  /// The database that was being read; nil before the first key and after the last.
  public let database: UInt64?
  /// The key whose value was being read, cut to its first 256 bytes; nil outside of values.
  public let key: [UInt8]?

  /// Stores the four facts.
  public init(kind: Kind, byteOffset: UInt64, database: UInt64?, key: [UInt8]?) {
    self.kind = kind
    self.byteOffset = byteOffset
    self.database = database
    self.key = key
  }

  /// The kinds of fault.
  public enum Kind: Error, Sendable, Equatable {
    /// The first bytes are not `REDIS` and four digits, or `VALKEY` and three.
    case badMagic
    /// A version that no server ever wrote.
    case unsupportedVersion(Int)
    /// The file ends before its end marker and checksum.
    case truncated
    /// Bytes follow the checksum.
    case trailingBytes
    /// The checksum in the file is not that of its bytes.
    case checksumMismatch(expected: UInt64, actual: UInt64)
    /// An opcode or value type that this version of the format does not have.
    case unknownOpcode(UInt8)
    /// A value breaks a rule of its encoding; the text says which.
    case malformed(String)
    /// A database has the same key twice.
    case duplicateKey

    /// Whether this may be an element that a later server added.
    var isUnknownElement: Bool {
      if case .unknownOpcode = self { true } else { false }
    }

    /// A stable snake_case name, the same for all associated values.
    public var name: String {
      switch self {
      case .badMagic: "bad_magic"
      case .unsupportedVersion: "unsupported_version"
      case .truncated: "truncated"
      case .trailingBytes: "trailing_bytes"
      case .checksumMismatch: "checksum_mismatch"
      case .unknownOpcode: "unknown_opcode"
      case .malformed: "malformed"
      case .duplicateKey: "duplicate_key"
      }
    }
  }
}

extension RDBError.Kind: CustomStringConvertible {
  /// The fault as a lower-case phrase.
  public var description: String {
    switch self {
    case .badMagic: "no RDB file, which begins with REDIS or VALKEY"
    case .unsupportedVersion(let version): "no RDB version \(version) exists"
    case .truncated: "the file ends too early"
    case .trailingBytes: "bytes follow the end of the RDB file"
    case .checksumMismatch(let expected, let actual):
      "the checksum is \(hexadecimal(actual)), the file says \(hexadecimal(expected))"
    case .unknownOpcode(let opcode): "unknown opcode \(opcode)"
    case .malformed(let fact): fact
    case .duplicateKey: "the key is there twice"
    }
  }
}

extension RDBError: CustomStringConvertible {
  /// The fault and its place, with the key escaped.
  public var description: String {
    // The beginning needs no number.
    let text = kind == .badMagic ? "\(kind)" : "\(kind) at byte \(byteOffset)"
    return text + place(database, key)
  }
}

private func hexadecimal(_ value: UInt64) -> String {
  let digits = String(value, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// The words that tell where something was met, with the key escaped.
func place(_ database: UInt64?, _ key: [UInt8]?) -> String {
  (database.map { ", database \($0)" } ?? "") + (key.map { ", key \"\(escaped($0))\"" } ?? "")
}

private func escaped(_ bytes: [UInt8]) -> String {
  var text = ""
  for byte in bytes {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"):
      text += "\\" + String(UnicodeScalar(byte))
    case 0x20..<0x7f:
      text += String(UnicodeScalar(byte))
    default:
      text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
  return text
}
