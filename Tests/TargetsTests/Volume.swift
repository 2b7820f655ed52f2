import Synchronization
import Targets

/// Gives the pieces of some bytes, then nil.
final class PieceSource: Sendable {
  private let rest: Mutex<ArraySlice<UInt8>>
  private let pieceByteCount: Int

  init(_ bytes: [UInt8], pieceByteCount: Int = 1 << 20) {
    rest = Mutex(bytes[...])
    self.pieceByteCount = pieceByteCount
  }

  func next() -> [UInt8]? {
    rest.withLock { rest in
      guard !rest.isEmpty else { return nil }
      defer { rest = rest.dropFirst(pieceByteCount) }
      return Array(rest.prefix(pieceByteCount))
    }
  }
}

extension DataVolume {
  @discardableResult
  func readAll(_ path: String) async throws -> ([UInt8], FileStatus) {
    let bytes = Mutex<[UInt8]>([])
    let status = try await read(path, stallTimeout: .seconds(15)) { piece in
      bytes.withLock { $0 += piece }
    }
    return (bytes.withLock { $0 }, status)
  }

  @discardableResult
  func write(
    _ bytes: [UInt8], to path: String, ownership: FileOwnership? = nil
  ) async throws -> FileStatus {
    let source = PieceSource(bytes)
    return try await write(
      path, ownership: ownership, stallTimeout: .seconds(15), from: { source.next() })
  }
}
