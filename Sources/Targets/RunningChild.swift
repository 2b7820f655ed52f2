import Glibc
import Subprocess
import SystemPackage

extension ChildProcess {
  /// A child while it runs.
  final class Running {
    /// Set when the child is not needed any more: it is then ended instead of waited for.
    var isOver = false
    /// Standard output, for a body that does not use ``nextOutput()``.
    let output: SubprocessOutputSequence
    private lazy var iterator = output.makeAsyncIterator()
    private let writer: StandardInputWriter?
    private let patience: Patience

    init(_ output: SubprocessOutputSequence, writer: StandardInputWriter?, patience: Patience) {
      self.output = output
      self.writer = writer
      self.patience = patience
    }

    /// Returns the next bytes of standard output; nil at its end, or when the child has ended.
    nonisolated(nonsending) func nextOutput() async throws -> [UInt8]? {
      let buffer = try await iterator.next()
      // A cancelled read looks like an end.
      try Task.checkCancellation()
      guard let buffer else { return nil }
      patience.renew()
      return buffer.array
    }

    /// Returns the rest of standard output.
    nonisolated(nonsending) func remainingOutput(limit: Int, what: String) async throws -> [UInt8] {
      var bytes: [UInt8] = []
      while let piece = try await nextOutput() {
        guard piece.count <= limit - bytes.count else {
          throw TargetError.tooLong(what: "the output of \(what)", limit: limit)
        }
        bytes += piece
      }
      return bytes
    }

    /// Writes to standard input; returns false when the child does not read any more.
    nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws -> Bool {
      guard let writer else { return false }
      // Small enough that each piece is a sign of life, large enough to fill the pipe.
      let pieceByteCount = 256 << 10
      var start = 0
      while start < bytes.count {
        let end = min(start + pieceByteCount, bytes.count)
        do {
          let whole = start == 0 && end == bytes.count
          let written = try await writer.write(whole ? bytes : Array(bytes[start..<end]))
          try Task.checkCancellation()
          guard written == end - start else { return false }
        } catch let error as SubprocessError where error.underlyingError == .brokenPipe {
          return false
        }
        patience.renew()
        start = end
      }
      return true
    }

    /// Ends standard input.
    nonisolated(nonsending) func finishInput() async throws {
      try await writer?.finish()
    }

    /// Allows the child to be silent for this long from now on.
    func allow(silence: Duration) {
      patience.renew(allowing: silence)
    }

    /// Runs our own part of the work, whose time is not the child's.
    nonisolated(nonsending) func whileWaiting<R>(
      _ body: nonisolated(nonsending) () async throws -> R
    ) async rethrows -> R {
      pause()
      defer { resume() }
      return try await body()
    }

    /// Begins our own part of the work; see ``whileWaiting(_:)``.
    func pause() { patience.pause() }

    /// Ends our own part of the work.
    func resume() { patience.resume() }
  }
}

enum SignalSetup {
  /// A child that stops reading must be an error of the write, not the end of this process.
  static let ignoreBrokenPipes: Void = {
    _ = signal(SIGPIPE, SIG_IGN)
  }()
}

extension SubprocessOutputSequence.Buffer {
  /// The bytes as an array.
  var array: [UInt8] {
    unsafe withUnsafeBytes { unsafe Array($0) }
  }
}
