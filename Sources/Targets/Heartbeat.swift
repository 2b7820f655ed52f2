/// Tells a monitor of runs over HTTP how a run goes.
///
/// curl does it, as a child: it verifies certificates, and takes proxies and authorities as the host has
/// them. The URL is a secret; curl reads it from a pipe, so that it is in no argument list.
public struct Heartbeat: Sendable {
  /// What is told; the raw value is the path that healthchecks.io adds to a URL for it.
  public enum Event: String, Sendable, CaseIterable {
    case start = "/start"
    case success = ""
    case failure = "/fail"
  }

  /// A try takes at most that long.
  private static let secondsPerTry = 5
  private static let limit = Duration.seconds(20)

  private let url: String

  /// - Parameter url: `http` or `https`.
  public init(url: String) {
    self.url = url
  }

  /// Tells it; the end of a run up to three times, since a word that is lost wakes somebody.
  ///
  /// - Parameter text: What the monitor shows beside it.
  /// - Throws: ``TargetError``, without the path of the URL.
  public func send(_ event: Event, text: String) async throws {
    let child = ChildProcess(
      name: "curl", executable: try await ChildProcess.find("curl"),
      // First, or it would read the settings of the user, which may have it print the URL.
      arguments: ["--disable", "--config", "-"], limit: .total(Self.limit), input: .pipe)
    let (_, ending) = try await child.run { running in
      if try await running.write(Array(configuration(event, text).utf8)) {
        try await running.finishInput()
      }
      return try await running.remainingOutput(limit: 1 << 20, what: child.name)
    }
    guard ending.status == 0 else {
      // Each try has a line of its own, mostly the same, and explanations may follow.
      let lines = ending.standardError.split(separator: "\n").filter { $0.hasPrefix("curl: (") }
      let reason = lines.last.map(String.init) ?? ""
      throw TargetError.commandFailed(name: child.name, status: ending.status, message: reason)
    }
  }

  private func configuration(_ event: Event, _ text: String) -> String {
    let retries = event == .start ? 0 : 2
    return """
      url = \(Self.quoted(address(event)))
      data-raw = \(Self.quoted(text))
      proto = "=http,https"
      max-time = \(Self.secondsPerTry)
      retry = \(retries)
      retry-delay = 1
      retry-connrefused
      output = "/dev/null"
      globoff
      silent
      show-error
      fail

      """
  }

  /// The event is a part of the path, which may be followed by a query.
  func address(_ event: Event) -> String {
    let end = url.firstIndex { "?#".contains($0) } ?? url.endIndex
    var path = url[..<end]
    while path.hasSuffix("/") { path.removeLast() }
    return path + event.rawValue + url[end...]
  }

  private static func quoted(_ text: String) -> String {
    let escapes: [Character: String] = [
      "\\": "\\\\", "\"": "\\\"", "\n": "\\n", "\r": "\\r", "\r\n": "\\r\\n", "\t": "\\t",
    ]
    return "\"" + text.map { escapes[$0] ?? String($0) }.joined() + "\""
  }
}
