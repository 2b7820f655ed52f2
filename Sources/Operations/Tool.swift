import ArchiveStore

/// What this program calls itself.
public enum Tool {
  /// The name of the command.
  public static let name = "raibid-backup"
  /// The version.
  public static let version = "0.1.0"

  static let manifest = Manifest.Tool(name: name, version: version)
}
