/// A way to read the whole of a file that a server writes.
public struct FileTransport: Sendable {
  /// The way in a word: "file", "cp" or "exec".
  public let name: String
  /// The volume, bound to that way.
  public let volume: any DataVolume

  /// Names a way.
  public init(name: String, volume: any DataVolume) {
    self.name = name
    self.volume = volume
  }
}
