/// Why a monitor was not told: the fact, without its URL.
public enum HeartbeatError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Nobody took it; the reason says why.
  case unreachable(String)
  /// Nothing was answered for so long.
  case silent(seconds: Int64)
  /// It answered with this status of HTTP.
  case status(UInt)

  /// Whether another try may do better.
  var mayPass: Bool {
    guard case .status(let code) = self else { return true }
    return code >= 500 || [408, 429].contains(code)
  }

  /// The fact, in lower case and without a full stop.
  public var description: String {
    switch self {
    case .unreachable(let reason): reason
    case .silent(let seconds): "no answer within \(seconds) s"
    case .status(let code): "it answered \(code)"
    }
  }
}
