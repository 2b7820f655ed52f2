/// Where a server answers.
public struct ServerAddress: Sendable, Equatable {
  /// A name or an address.
  public var host: String
  /// 1 to 65535.
  public var port: Int

  /// Creates an address.
  public init(host: String, port: Int) {
    self.host = host
    self.port = port
  }
}
