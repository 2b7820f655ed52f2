import Glibc
import Synchronization

/// One of the two streams that the program writes to.
struct Output: Sendable {
  /// The result.
  static let standard = Output(descriptor: STDOUT_FILENO)
  /// Everything else.
  static let error = Output(descriptor: STDERR_FILENO)

  let descriptor: Int32

  private static let failures = Mutex<[Int32: Int32]>([:])

  /// The `errno` of the first write that failed for another reason than a reader that has left.
  var failure: Int32? { Self.failures.withLock { $0[descriptor] } }

  /// Whether a person reads it.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes text; a reader that has left is no error.
  func write(_ text: String) {
    write(Array(text.utf8))
  }

  /// Writes text in UTF-8; a reader that has left is no error.
  func write(_ bytes: [UInt8]) {
    var written = 0
    while written < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
        return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      }
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else {
        if result < 0, errno != EPIPE {
          let number = errno
          Self.failures.withLock { $0[descriptor] = $0[descriptor] ?? number }
        }
        return
      }
      written += result
    }
  }
}
