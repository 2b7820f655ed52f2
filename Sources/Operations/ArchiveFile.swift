import Crypto
import Files
import GzipMembers
import Synchronization
import Workers

/// A file on the way through a pass: compressed or plain, hashed as it is read.
final class ArchiveFile: Sendable {
  private struct State: Sendable {
    var digest: SHA256?
    var byteCount: UInt64 = 0
    var lookahead: [UInt8]?
  }

  private static let pieceByteCount = 1 << 20

  private let file: OpenFile
  private let total: UInt64
  private let report: ProgressReport
  private let state: Mutex<State>

  /// Whether the file is gzip, by its first bytes.
  let isCompressed: Bool

  /// Opens a file and reads its beginning.
  ///
  /// - Parameter hashes: Whether somebody needs the SHA-256 of the file.
  init(
    _ path: String, hashes: Bool = true, report: @escaping ProgressReport
  ) throws(FileError) {
    file = try OpenFile(reading: path)
    total = try file.status().byteCount
    self.report = report
    let first = try file.read(upTo: Self.pieceByteCount)
    isCompressed = first.starts(with: [0x1f, 0x8b])
    state = Mutex(State(digest: hashes ? SHA256() : nil, lookahead: first))
  }

  /// How many bytes were read.
  var byteCount: UInt64 { state.withLock { $0.byteCount } }

  /// The SHA-256 of what was read, in hexadecimal; nil where nobody needs it.
  func digest() -> String? { state.withLock { $0.digest?.finalize().hexadecimal } }

  /// Reads to the end and hands on the dump inside: inflated where the file is gzip, else as it is.
  ///
  /// - Parameter deliver: Takes the dump's bytes in order on a worker thread, at most 1 MiB a call.
  /// - Returns: How many gzip members there were; 0 for a plain file.
  /// - Throws: `FileError`, `GzipError`, `CancellationError`, and what `deliver` throws.
  func unpack(
    on workers: Workers, to deliver: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Int {
    if isCompressed {
      return try await decompressMembers(on: workers, from: { try self.next() }, tap: deliver)
        .memberCount
    }
    try await withTaskExecutorPreference(workers) {
      while let piece = try next() {
        try Task.checkCancellation()
        try await deliver(piece)
      }
    }
    return 0
  }

  /// Reads the rest for the digest alone.
  func readToEnd() throws(FileError) {
    while try next() != nil {}
  }

  private func next() throws(FileError) -> [UInt8]? {
    let lookahead = state.withLock { $0.lookahead.take() }
    let piece = if let lookahead { lookahead } else { try file.read(upTo: Self.pieceByteCount) }
    let done = state.withLock { state in
      state.digest?.update(data: piece)
      state.byteCount += UInt64(piece.count)
      return state.byteCount
    }
    report(.bytes(done: done, total: total))
    return piece.isEmpty ? nil : piece
  }
}
