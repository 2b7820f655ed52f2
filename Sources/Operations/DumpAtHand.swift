/// A dump that is there or on its way, and how its bytes are had.
struct DumpAtHand: Sendable {
  /// Delivers the whole of it, in order; each piece is waited for before the next is read.
  typealias Read =
    @Sendable (_ deliver: @escaping @Sendable ([UInt8]) async throws -> Void) async throws -> Origin

  /// What is known of a dump once all of it has been read.
  struct Origin: Sendable {
    /// What was asked of the server.
    let saved: SavedDump
    /// When the server had made it.
    let ended: ContinuousClock.Instant
  }

  /// The way of the bytes: "file", "cp", "exec" or "replication".
  let via: String
  /// Takes how many bytes have been copied.
  let report: @Sendable (UInt64) -> Void
  /// How to read it.
  let read: Read

  init(via: String, report: @escaping @Sendable (UInt64) -> Void, read: @escaping Read) {
    self.via = via
    self.report = report
    self.read = read
  }

  /// - Parameter byteCount: Its size; nil where the server makes it while it is read.
  init(via: String, report: @escaping ProgressReport, byteCount: UInt64?, read: @escaping Read) {
    self.init(via: via, report: { report(.bytes(done: $0, total: byteCount)) }, read: read)
  }

  /// The same, whose reading ends with a look at what it came from.
  func confirmed(_ look: @escaping @Sendable () async throws -> Void) -> DumpAtHand {
    DumpAtHand(via: via, report: report) { [read] deliver in
      let origin = try await read(deliver)
      try await look()
      return origin
    }
  }
}

extension Progress {
  /// The bytes of a dump that the server has made, or makes for us alone.
  static let copying = began("copying the dump")
}
