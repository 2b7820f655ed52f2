/// What shows whether a server is a process of this host: what it tells of itself, and the connection over
/// which it told it.
public struct ServerTrace: Sendable {
  /// The server's `process_id` in `INFO`.
  public let processID: Int
  /// Its `dir`.
  public let dataDirectory: String
  /// Our end of the TCP connection; nil where there is none that could be looked at.
  public let near: ServerAddress?
  /// The other end.
  public let far: ServerAddress?

  /// Creates a trace from its parts.
  ///
  /// - Parameters:
  ///   - near: The numeric address and the port of our end of the connection.
  ///   - far: The same of the other end.
  public init(processID: Int, dataDirectory: String, near: ServerAddress?, far: ServerAddress?) {
    self.processID = processID
    self.dataDirectory = dataDirectory
    self.near = near
    self.far = far
  }
}
