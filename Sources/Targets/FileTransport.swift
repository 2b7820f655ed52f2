/// A way to read the whole of a file that a server writes.
public struct FileTransport: Sendable {
  /// The way in a word: "file", "cp" or "exec".
  public let name: String
  /// The volume, bound to that way.
  public let volume: any DataVolume
  /// What counts how often the file is written, where that can be seen.
  public let replacements: ReplacementWatch?

  /// Names a way.
  public init(
    name: String, volume: any DataVolume, replacements: ReplacementWatch? = nil
  ) {
    self.name = name
    self.volume = volume
    self.replacements = replacements
  }
}
