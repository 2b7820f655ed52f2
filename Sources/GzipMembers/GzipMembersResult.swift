/// What went in and what came out of one whole stream.
public struct GzipMembersResult: Sendable, Equatable {
  /// How many bytes were read.
  public let inputByteCount: UInt64
  /// How many bytes were handed on.
  public let outputByteCount: UInt64
  /// How many gzip members were written or read.
  public let memberCount: Int

  /// A result of these three figures.
  public init(inputByteCount: UInt64, outputByteCount: UInt64, memberCount: Int) {
    self.inputByteCount = inputByteCount
    self.outputByteCount = outputByteCount
    self.memberCount = memberCount
  }
}
