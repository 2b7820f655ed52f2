/// The id of a stream entry; coded as `MILLISECONDS-SEQUENCE`, as commands write it.
public struct StreamID: Sendable, Hashable, Comparable {
  /// The part before the dash, by custom Unix milliseconds.
  public let milliseconds: UInt64
  /// The part after the dash.
  public let sequence: UInt64

  /// Stores the two parts.
  public init(milliseconds: UInt64, sequence: UInt64) {
    self.milliseconds = milliseconds
    self.sequence = sequence
  }

  /// Reads `MILLISECONDS-SEQUENCE`; nil for any other text.
  public init?(_ text: String) {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let milliseconds = UInt64(parts[0]), let sequence = UInt64(parts[1])
    else { return nil }
    self.init(milliseconds: milliseconds, sequence: sequence)
  }

  /// The order of entries in a stream.
  public static func < (left: StreamID, right: StreamID) -> Bool {
    left.milliseconds != right.milliseconds
      ? left.milliseconds < right.milliseconds : left.sequence < right.sequence
  }
}

extension StreamID: CustomStringConvertible {
  /// `MILLISECONDS-SEQUENCE`.
  public var description: String {
    "\(milliseconds)-\(sequence)"
  }
}

extension StreamID: Codable {
  /// Decodes a single string.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let id = StreamID(text) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "no stream id: \(text)")
    }
    self = id
  }

  /// Encodes a single string.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}
