/// The system gave no thread.
public struct WorkersError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What `pthread_create` returned, for example `EAGAIN`.
  public let errorNumber: Int32

  /// The fact in words.
  public var description: String { "no thread could be started (errno \(errorNumber))" }
}
