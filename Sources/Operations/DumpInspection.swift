import Crypto
import RDBFormat
import Synchronization

/// The serial stage of every pass over a dump: structure, CRC-64 and SHA-256 of the same bytes.
///
/// Blocks must come in order, one call at a time, from any thread.
final class DumpInspection: Sendable {
  private struct State: Sendable {
    var inspector: RDBInspector
    var digest = SHA256()
    var byteCount: UInt64 = 0
    var fault: RDBError?
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - referenceTime: Keys that expire at this time or before are counted as expired, in
  ///     milliseconds since 1970.
  ///   - onKey: Takes each key as it goes by.
  init(referenceTime: Int64, onKey: (@Sendable (RDBKey) -> Void)? = nil) {
    state = Mutex(State(inspector: RDBInspector(referenceTime: referenceTime, onKey: onKey)))
  }

  /// Takes the next block. A fault in its structure is kept for ``finish()``, and the digest goes on.
  func consume(_ block: [UInt8]) {
    state.withLock { state in
      state.digest.update(data: block)
      state.byteCount += UInt64(block.count)
      guard state.fault == nil else { return }
      do throws(RDBError) {
        try state.inspector.consume(block.span)
      } catch {
        state.fault = error
      }
    }
  }

  /// How many bytes were taken.
  var byteCount: UInt64 { state.withLock { $0.byteCount } }

  /// The SHA-256 of all bytes so far, in hexadecimal.
  func digest() -> String { state.withLock { $0.digest.finalize().hexadecimal } }

  /// Ends the dump and gives its facts.
  ///
  /// - Throws: The first fault.
  func finish() throws(RDBError) -> RDBSummary {
    let result: Result<RDBSummary, RDBError> = state.withLock { state in
      if let fault = state.fault { return .failure(fault) }
      do throws(RDBError) {
        return .success(try state.inspector.finish())
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}

extension SHA256.Digest {
  /// The digest as `sha256sum` prints it.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(
      decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
