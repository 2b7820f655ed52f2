/// One consumer of a group.
public struct ConsumerSummary: Codable, Sendable, Equatable {
  /// Its name; coded as `name` when the bytes are UTF-8, otherwise as `name_base64`.
  public let name: [UInt8]
  /// Entries delivered to it and not yet acknowledged.
  public let pending: UInt64

  /// Stores both members.
  public init(name: [UInt8], pending: UInt64) {
    self.name = name
    self.pending = pending
  }

  /// Decodes both members.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      name: try container.decodeBytes(text: .name, base64: .nameBase64),
      pending: try container.decode(UInt64.self, forKey: .pending))
  }

  /// Encodes both members.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encodeBytes(name, text: .name, base64: .nameBase64)
    try container.encode(pending, forKey: .pending)
  }

  private enum CodingKeys: String, CodingKey {
    case name, pending
    case nameBase64 = "name_base64"
  }
}
