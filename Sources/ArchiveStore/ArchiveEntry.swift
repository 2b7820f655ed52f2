import Files
import FoundationEssentials
import RDBFormat

/// An archive as it lies on the disk, or a foreign file that is used like one.
public struct ArchiveEntry: Sendable {
  /// What is known of an archive without unpacking it.
  public enum State: String, Codable, Sendable {
    /// Its last verification found it whole, and it still has that size and digest.
    case verified
    /// Nothing says that it is whole.
    case unverified
    /// Its last verification found damage, or it is not the file that was verified.
    case damaged
  }

  /// Its name; nil for a foreign file.
  public let name: ArchiveName?
  /// The path of the file.
  public let path: String
  /// Whether the file is there.
  public let exists: Bool
  /// Its size in bytes, 0 when it is not there.
  public let byteCount: UInt64
  /// What its manifest says; nil when there is none that can be read.
  public let document: ManifestDocument?
  /// Whether there is a manifest that cannot be read, and may say what must not be lost: a pin, a source.
  public let hasUnreadableManifest: Bool
  /// The SHA-256 that the file beside it names, in lower-case hexadecimal.
  public let recordedDigest: String?
  /// What is known of it.
  public let state: State

  /// The directory that it is an archive of; nil for a foreign file.
  public let directory: ArchiveDirectory?

  /// Looks at an archive in a directory.
  init(reading name: ArchiveName, in directory: ArchiveDirectory) throws {
    self.name = name
    self.directory = directory
    path = directory.join(name.archiveFile)
    let status = try FileTree.status(of: path)
    exists = status?.kind == .file
    byteCount = status?.byteCount ?? 0
    (document, hasUnreadableManifest) = Self.manifest(at: directory.join(name.manifestFile))
    // One archive whose files cannot be read must not keep the others from being used.
    recordedDigest = (try? FileTree.contents(of: directory.join(name.digestFile), limit: 4096))
      .flatMap(Self.digest(inFile:))
    state = Self.state(document?.manifest, byteCount: byteCount, digest: recordedDigest)
  }

  /// A file that was not made by this tool, or is not called as this tool calls archives.
  init(foreignFile path: String) {
    name = nil
    directory = nil
    self.path = path
    exists = true
    byteCount = 0
    document = nil
    hasUnreadableManifest = false
    recordedDigest = nil
    state = .unverified
  }

  /// What its manifest says; nil when there is none that can be read.
  public var manifest: Manifest? { document?.manifest }

  /// The ``Source/identity`` of the Redis that it was taken from, where that is known.
  public var source: String? { manifest?.source?.identity }

  /// Whether a restore took it of the data that it was about to replace.
  public var isSafetyBackup: Bool { manifest?.isSafetyBackup ?? false }

  private static func state(
    _ manifest: Manifest?, byteCount: UInt64, digest: String?
  ) -> State {
    guard let manifest else { return .unverified }
    let isTheSameFile =
      manifest.archive.bytes == byteCount
      && (digest ?? manifest.archive.sha256)
        == manifest.archive.sha256
    return manifest.verification.level.isWhole && isTheSameFile ? .verified : .damaged
  }

  private static func manifest(at path: String) -> (ManifestDocument?, isUnreadable: Bool) {
    do {
      let text = try FileTree.contents(of: path, limit: ManifestDocument.maximumByteCount)
      guard let text else { return (nil, false) }
      guard let document = try? ManifestDocument(json: text) else {
        return (nil, ManifestDocument.isObject(json: text))
      }
      return (document, false)
    } catch {
      return (nil, true)
    }
  }

  /// The digest in a file as `sha256sum` writes it.
  private static func digest(inFile bytes: [UInt8]) -> String? {
    let text = String(decoding: bytes, as: UTF8.self).drop { $0 == "\\" }
    let digest = text.prefix(64).lowercased()
    guard digest.utf8.count == 64, digest.allSatisfy(\.isHexDigit) else { return nil }
    return digest
  }
}
