import Crypto
import RDBFormat
import Synchronization

/// The checksum and the digest of a dump, taken ahead of its ``DumpInspection``.
///
/// Blocks must come in order, one call at a time, from any thread.
final class DumpSums: Sendable {
  private struct State: Sendable {
    var pieces = RDBPieces()
    var digest: SHA256?
  }

  private let state: Mutex<State>

  /// - Parameter hashes: Whether somebody needs the SHA-256, which costs more than all the rest.
  init(hashes: Bool) {
    state = Mutex(State(digest: hashes ? SHA256() : nil))
  }

  /// Takes the next block and makes it ready for the inspection.
  func next(_ block: [UInt8]) -> RDBPiece {
    state.withLock { state in
      state.digest?.update(data: block)
      return state.pieces.next(block)
    }
  }

  /// The SHA-256 of all bytes so far, in hexadecimal; nil where nobody needs it.
  func digest() -> String? { state.withLock { $0.digest?.finalize().hexadecimal } }
}

extension SHA256.Digest {
  /// The digest as `sha256sum` prints it.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
