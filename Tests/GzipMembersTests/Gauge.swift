import GzipMembers
import Synchronization
import Workers

/// Counts what has been read and not used yet.
final class Gauge: Sendable {
  private let counts = Mutex((now: 0, highest: 0))

  func enter() {
    counts.withLock {
      $0.now += 1
      $0.highest = max($0.highest, $0.now)
    }
  }

  func leave() {
    counts.withLock { $0.now -= 1 }
  }

  var highest: Int { counts.withLock { $0.highest } }

  /// How many pieces had been read and not used, at most, with a tap that is slower than all else.
  static func ofDecompression(_ pieces: [[UInt8]], threads: Int) async throws -> Gauge {
    let gauge = Gauge()
    let source = Source(pieces)
    _ = try await decompressMembers(on: Workers(threadCount: threads)) {
      let piece = source.next()
      if piece != nil { gauge.enter() }
      return piece
    } tap: { block in
      spin()
      gauge.leave()
    }
    return gauge
  }

  /// Keeps a core busy for longer than a small member takes.
  static func spin() {
    var random = SplitMix(seed: 1)
    var sum: UInt64 = 0
    for _ in 0..<20_000 { sum ^= random.next() }
    if sum == 1 { print(sum) }
  }
}
