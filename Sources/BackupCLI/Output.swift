import Glibc

/// One of the two streams that the program writes to.
struct Output: Sendable {
  /// The result.
  static let standard = Output(descriptor: STDOUT_FILENO)
  /// Everything else.
  static let error = Output(descriptor: STDERR_FILENO)

  let descriptor: Int32

  /// Whether a person reads it.
  var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Writes text; a reader that has left is no error.
  func write(_ text: String) {
    let bytes = Array(text.utf8)
    var written = 0
    while written < bytes.count {
      let result = unsafe bytes.withUnsafeBytes { buffer in
        let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[written...])
        return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
      }
      if result < 0 && errno == EINTR { continue }
      guard result > 0 else { return }
      written += result
    }
  }
}
