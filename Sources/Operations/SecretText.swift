/// Texts that may hold a secret, as they may be shown.
public enum SecretText {
  /// A command for a shell, unless something in it looks like a password.
  public static func shown(command: String) -> String {
    let text = command.lowercased()
    let hints = ["pass", "pw", "auth", "secret", "token", "://", " -a"]
    return hints.contains { text.contains($0) } ? hidden : command
  }

  /// A URL without its path and query, nor a user: who knows them can use it.
  public static func shown(url: String) -> String {
    guard let scheme = url.firstRange(of: "://") else { return hidden }
    let authority = url[scheme.upperBound...].prefix { !"/?#".contains($0) }
    let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
    return "\(url[..<scheme.upperBound])\(host)/\(hidden)"
  }

  /// What stands in the place of a secret.
  private static let hidden = "…"
}
