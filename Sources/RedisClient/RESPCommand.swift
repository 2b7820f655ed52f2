/// A command as it is sent: its words, the first of which is its name.
///
/// Arguments can be secrets, so nothing but the name is ever described.
public struct RESPCommand: Sendable, Equatable {
  /// The words of the command, in order; each any bytes.
  public let arguments: [[UInt8]]

  /// Makes a command from its words.
  public init(_ arguments: [[UInt8]]) {
    self.arguments = arguments
  }

  /// The command in the RESP2 encoding: an array of bulk strings.
  public var encoded: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(arguments.reduce(16) { $0 + $1.count + 16 })
    bytes += "*\(arguments.count)\r\n".utf8
    for argument in arguments {
      bytes += "$\(argument.count)\r\n".utf8
      bytes += argument
      bytes += "\r\n".utf8
    }
    return bytes
  }

  /// The name to show: the first word, or the first two where the first only names a family
  /// (`CONFIG GET`).
  public var name: String {
    guard let first = arguments.first.flatMap(Self.shown) else { return "(unnamed)" }
    guard Self.families.contains(first), arguments.count > 1, let second = Self.shown(arguments[1])
    else { return first }
    return "\(first) \(second)"
  }

  private static let families: Set<String> = [
    "ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY",
    "MODULE", "OBJECT", "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO",
  ]

  /// A word that looks like the name of a command, in upper case.
  private static func shown(_ word: [UInt8]) -> String? {
    guard (1...24).contains(word.count) else { return nil }
    let text = String(decoding: word, as: UTF8.self).uppercased()
    let isName = text.utf8.allSatisfy { byte in
      (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
        || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        || [UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-")].contains(byte)
    }
    return isName ? text : nil
  }
}

extension RESPCommand: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The name alone.
  public var description: String { name }
  /// The name alone.
  public var debugDescription: String { name }
  /// The name alone.
  public var customMirror: Mirror { Mirror(self, children: ["name": name]) }
}

extension RESPCommand {
  /// The encoding of a command one argument of which is sent in pieces.
  ///
  /// - Returns: What comes in front of the bytes of that argument, and what comes behind them.
  public static func encoded(
    _ words: [[UInt8]], argumentOf byteCount: UInt64, _ rest: [[UInt8]]
  ) -> (head: [UInt8], tail: [UInt8]) {
    func bulk(_ bytes: [UInt8]) -> [UInt8] {
      Array("$\(bytes.count)\r\n".utf8) + bytes + Array("\r\n".utf8)
    }
    return (
      Array("*\(words.count + 1 + rest.count)\r\n".utf8) + words.flatMap(bulk)
        + Array("$\(byteCount)\r\n".utf8),
      Array("\r\n".utf8) + rest.flatMap(bulk)
    )
  }
}
