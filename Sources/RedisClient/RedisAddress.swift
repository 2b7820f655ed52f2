/// Where a server listens.
public struct RedisAddress: Sendable, Hashable {
  /// A host name, or an IPv4 or IPv6 address without brackets.
  public let host: String
  /// The TCP port.
  public let port: Int

  /// Makes an address; nothing is looked up.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}

extension RedisAddress: CustomStringConvertible {
  /// `host:port`, an IPv6 address in brackets.
  public var description: String {
    host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
  }
}
