import FoundationEssentials
import RawJSON

/// A manifest together with everything else that its file holds.
public struct ManifestDocument: Sendable {
  /// Manifests larger than this are not read: 1,000 streams with all their consumers are below it.
  static let maximumByteCount = 64 << 20

  /// What this version understands of it.
  public private(set) var manifest: Manifest
  /// The text that it was read from; empty when it was not read.
  private let text: [UInt8]

  /// A manifest that has nothing but what this version knows.
  public init(_ manifest: Manifest) {
    self.manifest = manifest
    text = []
  }

  /// Reads a manifest.
  ///
  /// - Throws: `DecodingError` when it is not JSON or lacks what every version has.
  public init(json: [UInt8]) throws {
    manifest = try JSON.decoder().decode(Manifest.self, from: Data(json))
    text = json
  }

  /// Whether a text that is no manifest is the next best thing: it may have been one before somebody edited it.
  static func isObject(json: [UInt8]) -> Bool {
    (try? JSON.decoder().decode([String: JSONValue].self, from: Data(json))) != nil
  }

  /// Whether a newer version wrote it, so that it must be left as it is.
  public var isNewer: Bool { manifest.schemaVersion > Manifest.newestSchemaVersion }

  /// Records a verdict.
  public mutating func record(_ verification: Manifest.Verification) {
    manifest.verification = verification
  }

  /// Pins the archive, or takes its pin away.
  mutating func pin(_ pinned: Bool) {
    manifest.pinned = pinned
  }

  /// The document as text, keys that this version does not know included.
  public func json() throws -> [UInt8] {
    let known = try JSON.decoder().decode(
      [String: JSONValue].self, from: JSON.encoder().encode(manifest))
    var document =
      text.isEmpty ? known : try JSON.decoder().decode([String: JSONValue].self, from: Data(text))
    for key in Self.changingKeys {
      document[key] = document[key].merged(with: known[key])
    }
    return Array(try JSON.encoder().encode(document)) + Array("\n".utf8)
  }

  /// What may change in a manifest after its archive was published.
  private static let changingKeys = [
    Manifest.CodingKeys.verification.rawValue, Manifest.CodingKeys.pinned.rawValue,
  ]
}

extension JSONValue? {
  /// The new value, with what the old one knew beside it.
  fileprivate func merged(with new: JSONValue?) -> JSONValue? {
    guard case .object(let old) = self, case .object(let changed) = new else { return new }
    return .object(old.merging(changed) { $1 })
  }
}
