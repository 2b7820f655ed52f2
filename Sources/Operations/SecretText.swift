/// Texts that may hold a secret, as they may be shown.
public enum SecretText {
  /// A command that starts a server, unless something in it looks like a password: in commands that are
  /// proposed on a bad day it should be whole.
  static func shown(restartCommand command: String) -> String {
    let text = command.lowercased()
    let hints = ["pass", "pw", "auth", "secret", "token", "://", " -a"]
    return hints.contains { text.contains($0) } ? hidden : command
  }

  /// The program of a command for a shell, and nothing else of it.
  public static func program(of command: String) -> String {
    let words = command.split(maxSplits: 1, whereSeparator: \.isWhitespace)
    guard let program = words.first,
      program.wholeMatch(of: /[A-Za-z0-9_.\/+-]+/) != nil
    else { return hidden }
    return words.count == 1 ? String(program) : "\(program) \(hidden)"
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
