import FoundationEssentials

/// How this tool writes and reads JSON: sorted keys, RFC 3339 times.
public enum JSON {
  /// An encoder for documents that people read too.
  public static func encoder() -> JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return encoder
  }

  /// A decoder for the same documents; times may have a fraction of a second.
  public static func decoder() -> JSONDecoder {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .custom { decoder in
      let text = try decoder.singleValueContainer().decode(String.self)
      let format = Date.ISO8601FormatStyle(includingFractionalSeconds: text.contains("."))
      return try format.parse(text)
    }
    return decoder
  }
}
