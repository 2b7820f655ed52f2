/// The command that an error proposes, before it is known where the run was meant to act.
///
/// A comment behind it is text from `#` on, which a shell ignores.
public enum NextCommand: Sendable, Equatable {
  /// Any command of this host, as it stands.
  case shell(String)
  /// A command for the server, sent with redis-cli as the user of this run.
  case redis(String)
  /// A command for the server that takes more rights than this run has.
  case redisAsAdmin(String)
  /// A command of the host or container that the server runs in.
  case onServer(String)
  /// A command of kubectl in the cluster and namespace of this run.
  case kubectl(String)
  /// A look at the TLS handshake.
  case handshake
  /// A command of this tool on the archives of this run.
  case archives(String)
  /// A command of this tool on the server and the archives of this run.
  case tool(String)
  /// The command line of this run once more, with this at its end.
  case again(String)
}

extension NextCommand: ExpressibleByStringInterpolation {
  /// A command of this host, as it stands.
  public init(stringLiteral value: String) {
    self = .shell(value)
  }
}

/// A word as a shell reads it: quoted where it has to be.
public func shellWord(_ word: String) -> String {
  let isPlain = word.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "-_./:=,@%+".utf8.contains(byte)
    }
  }
  guard !isPlain || word.isEmpty else { return word }
  return "'"
    + word.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    + "'"
}
