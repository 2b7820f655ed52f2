import FoundationEssentials
import NIOCore
import NIOHTTP1

/// The URL of a monitor in its parts. Path and query are sent byte for byte.
struct MonitorURL: Sendable, Equatable {
  let usesTLS: Bool
  let host: String
  let port: Int
  /// What stands before the path, without a user: the value of the header `Host`.
  let authority: String
  /// `user:password`; nil where there is none.
  let user: String?
  private let path: String
  private let query: String

  /// - Returns: Nil for what is no URL that begins with `http://` or `https://` and a host.
  init?(_ text: String) {
    guard let scheme = ["http://", "https://"].first(where: text.lowercased().hasPrefix),
      // What RFC 3986 has no place for, a parser of HTTP refuses.
      text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}".utf8.contains($0) })
    else { return nil }
    usesTLS = scheme == "https://"
    let rest = text.dropFirst(scheme.count).prefix { $0 != "#" }
    let login = rest.prefix { !"/?".contains($0) }
    let at = login.lastIndex(of: "@")
    authority = String(at.map { login[login.index(after: $0)...] } ?? login)
    user = at.flatMap { Self.decoded(user: login[..<$0]) }
    guard let address = Self.address(authority, usualPort: usesTLS ? 443 : 80) else { return nil }
    (host, port) = address
    let target = rest[login.endIndex...]
    let mark = target.firstIndex(of: "?") ?? target.endIndex
    path = String(target[..<mark])
    query = String(target[mark...])
  }

  private static func decoded(user: Substring) -> String? {
    URLComponents(string: "http://\(user)@host").flatMap { parts in
      parts.user.map { "\($0):\(parts.password ?? "")" }
    }
  }

  private static func address(_ authority: String, usualPort: Int) -> (String, Int)? {
    var host = authority[...]
    var port: Substring?
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") {
      let rest = host[host.index(after: end)...]
      guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
      port = rest.isEmpty ? nil : rest.dropFirst()
      host = host[host.index(after: host.startIndex)..<end]
    } else if let colon = host.lastIndex(of: ":") {
      port = host[host.index(after: colon)...]
      host = host[..<colon]
    }
    let number = port.map { $0.isEmpty ? usualPort : Int($0) } ?? usualPort
    guard !host.isEmpty, let number, (1...65_535).contains(number) else { return nil }
    return (String(host), number)
  }

  /// Path and query of an event: it is a part of the path, which may be followed by a query.
  func target(_ event: Heartbeat.Event) -> String {
    var path = self.path
    while path.hasSuffix("/") { path.removeLast() }
    path += event.rawValue
    return (path.isEmpty ? "/" : path) + query
  }

  /// The request that tells an event.
  func request(_ event: Heartbeat.Event, _ text: String) -> [HTTPClientRequestPart] {
    var headers = HTTPHeaders([
      ("Host", authority), ("User-Agent", "raibid-backup"), ("Connection", "close"),
      ("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", "\(text.utf8.count)"),
    ])
    if let user {
      headers.add(name: "Authorization", value: "Basic " + Data(user.utf8).base64EncodedString())
    }
    let head = HTTPRequestHead(
      version: .http1_1, method: .POST, uri: target(event), headers: headers)
    return [.head(head), .body(.byteBuffer(ByteBuffer(string: text))), .end(nil)]
  }
}
