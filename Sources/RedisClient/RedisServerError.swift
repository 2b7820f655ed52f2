/// An error reply of the server.
public struct RedisServerError: Error, Sendable, Equatable {
  /// The first word of the line, such as `NOAUTH`, `ERR` or `LOADING`: the only part to match on,
  /// the rest differs between products and versions.
  public let code: String
  /// The whole line, at most 512 bytes of UTF-8, control characters and invalid bytes replaced.
  public let message: String

  /// Makes an error from a line as a server sends it, without the leading `-`.
  public init(line: some Collection<UInt8>) {
    let message = Self.printable(line.prefix(Self.maximumByteCount))
    self.message = message
    self.code = String(message.prefix { $0 != " " })
  }

  /// Makes an error from a line of text, without the leading `-`.
  public init(_ line: String) {
    self.init(line: Array(line.utf8))
  }

  private static let maximumByteCount = 512

  /// Text that is safe to show on a terminal: a hostile server must not move its cursor.
  private static func printable(_ bytes: some Collection<UInt8>) -> String {
    var text = String.UnicodeScalarView()
    var byteCount = 0
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      let shown = scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
      byteCount += UTF8.width(shown)
      guard byteCount <= maximumByteCount else { break }
      text.append(shown)
    }
    // Some servers end it with a blank.
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}

extension RedisServerError: CustomStringConvertible {
  /// The line of the server.
  public var description: String { message }
}
