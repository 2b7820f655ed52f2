import FoundationEssentials
import RDBFormat
import Synchronization

/// Prints one line of JSON for each key, many lines at a time.
final class KeyLines: Sendable {
  private struct Line: Encodable {
    let key: RDBKey

    enum CodingKeys: String, CodingKey {
      case database, key, type, encoding, bytes, elements
      case keyBase64 = "key_base64"
      case expiresAt = "expires_at"
    }

    func encode(to encoder: any Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(key.database, forKey: .database)
      try container.encodeBytes(key.key, text: .key, base64: .keyBase64)
      try container.encode(key.type, forKey: .type)
      try container.encode(key.encoding, forKey: .encoding)
      try container.encode(key.bytes, forKey: .bytes)
      try container.encode(key.elements, forKey: .elements)
      try container.encode(Shown.time(key.expiresAt), forKey: .expiresAt)
    }
  }

  private struct State {
    let encoder: JSONEncoder = {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return encoder
    }()
    var text: [UInt8] = []
    var failure: (any Error)?
  }

  private static let pieceByteCount = 64 << 10
  private let state = Mutex(State())

  /// Prints a key, now or together with later ones.
  func take(_ key: RDBKey) {
    state.withLock { state in
      do {
        state.text += try state.encoder.encode(Line(key: key)) + [UInt8(ascii: "\n")]
      } catch {
        state.failure = state.failure ?? error
      }
      if state.text.count >= Self.pieceByteCount { Self.print(&state) }
    }
  }

  /// Prints what is left.
  ///
  /// - Throws: The first error of a line.
  func finish() throws {
    try state.withLock { state in
      Self.print(&state)
      if let failure = state.failure { throw failure }
    }
  }

  private static func print(_ state: inout State) {
    Output.standard.write(String(decoding: state.text, as: UTF8.self))
    state.text = []
  }
}
