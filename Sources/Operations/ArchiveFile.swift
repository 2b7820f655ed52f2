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
  }

  /// What a plain dump is handed on in.
  private static let pieceByteCount = 512 << 10
  /// Smaller, so that what is read is hashed and cut into members before it has left the cache.
  private static let compressedPieceByteCount = 256 << 10

  private let file: OpenFile
  private let total: UInt64
  private let report: ProgressReport
  private let state: Mutex<State>
  /// The first bytes, until somebody reads them. Not in the state: reading must not wait for hashing.
  private let lookahead: Mutex<[UInt8]?>

  /// Whether the file is gzip, by its first bytes.
  let isCompressed: Bool

  /// Opens a file and reads its beginning.
  ///
  /// - Parameters:
  ///   - hashes: Whether somebody needs the SHA-256 of the file.
  ///   - asksDisk: Whether what the disk holds is wanted, and not the system's copy of it in memory.
  init(
    _ path: String, hashes: Bool = true, asksDisk: Bool = false, report: @escaping ProgressReport
  ) throws(FileError) {
    file = try OpenFile(reading: path, asksDisk: asksDisk)
    total = try file.status().byteCount
    self.report = report
    let first = try file.read(upTo: Self.compressedPieceByteCount)
    isCompressed = first.starts(with: [0x1f, 0x8b])
    state = Mutex(State(digest: hashes ? SHA256() : nil))
    lookahead = Mutex(first)
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
    if isCompressed { return try await inflate(on: workers, to: deliver) }
    try await withTaskExecutorPreference(workers) {
      while let piece = take(try read()) {
        try Task.checkCancellation()
        try await deliver(piece)
      }
    }
    return 0
  }

  /// Hashes what is read beside the inflation, so that reading waits for neither.
  private func inflate(
    on workers: Workers, to deliver: @escaping @Sendable ([UInt8]) async throws -> Void
  ) async throws -> Int {
    let outcome = Mutex(Result<Int, GzipError>.success(0))
    try await pipe { send in
      do {
        let result = try await decompressMembers(
          on: workers,
          from: {
            let piece = try self.read()
            try await send(piece)
            return piece.isEmpty ? nil : piece
          }, tap: deliver)
        outcome.withLock { $0 = .success(result.memberCount) }
      } catch let error as GzipError {
        // The digest is of the whole file, and what was read so far must still be hashed.
        outcome.withLock { $0 = .failure(error) }
      }
    } to: { next in
      try await withTaskExecutorPreference(workers) {
        while let piece = try await next() { _ = self.take(piece) }
      }
    }
    return try outcome.withLock { try $0.get() }
  }

  /// Reads the rest for the digest alone.
  func readToEnd() throws(FileError) {
    while take(try read()) != nil {}
  }

  /// The next bytes; none at the end. Blocks as long as the disk does.
  private func read() throws(FileError) -> [UInt8] {
    if let first = lookahead.withLock({ $0.take() }) { return first }
    return try file.read(
      upTo: isCompressed ? Self.compressedPieceByteCount : Self.pieceByteCount)
  }

  /// Hashes and counts what was read; nil at the end.
  private func take(_ piece: [UInt8]) -> [UInt8]? {
    let done = state.withLock { state in
      state.digest?.update(data: piece)
      state.byteCount += UInt64(piece.count)
      return state.byteCount
    }
    report(.bytes(done: done, total: total))
    return piece.isEmpty ? nil : piece
  }
}
