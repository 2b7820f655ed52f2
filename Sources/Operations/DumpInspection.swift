import RDBFormat
import Synchronization

/// The serial stage of every pass over a dump: its structure and facts.
///
/// Pieces must come in order, one call at a time, from any thread; so must the keys that come out, which
/// another thread may compare meanwhile.
final class DumpInspection: Sendable {
  private struct State: Sendable {
    var inspector: RDBInspector
    var byteCount: UInt64 = 0
    var fault: RDBError?
  }

  private let state: Mutex<State>
  private let knownKeys = Mutex(RDBKeySet())

  /// - Parameters:
  ///   - referenceTime: Keys that expire at this time or before are counted as expired, in
  ///     milliseconds since 1970.
  ///   - onKey: Takes each key as it goes by.
  init(referenceTime: Int64, onKey: (@Sendable (RDBKey) -> Void)? = nil) {
    state = Mutex(
      State(
        inspector: RDBInspector(
          referenceTime: referenceTime, comparesKeys: false, onKey: onKey)))
  }

  /// Takes the next piece. The first fault is kept for ``finish()``; no piece after it is looked at.
  ///
  /// - Returns: The keys in it, for ``compare(_:)``.
  func consume(_ piece: RDBPiece) -> RDBKeys {
    state.withLock { state in
      state.byteCount += UInt64(piece.bytes.count)
      guard state.fault == nil else { return RDBKeys() }
      do throws(RDBError) {
        try state.inspector.consume(piece)
      } catch {
        state.fault = error
      }
      return state.inspector.takeKeys()
    }
  }

  /// Looks for keys that were there before.
  func compare(_ keys: RDBKeys) {
    knownKeys.withLock { $0.compare(keys) }
  }

  /// How many bytes were taken.
  var byteCount: UInt64 { state.withLock { $0.byteCount } }

  /// Ends the dump and gives its facts.
  ///
  /// - Throws: The first fault.
  func finish() throws(RDBError) -> RDBSummary {
    let knownKeys = knownKeys.withLock { $0 }
    let result: Result<RDBSummary, RDBError> = state.withLock { state in
      // All keys that were compared come before the fault.
      if let fault = state.fault { return .failure(knownKeys.fault ?? fault) }
      do throws(RDBError) {
        return .success(try state.inspector.finish(comparedBy: knownKeys))
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }
}
