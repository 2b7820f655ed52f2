import Glibc

/// The person at the terminal.
enum Terminal {
  /// Whether there is one.
  static var canAsk: Bool { isatty(STDIN_FILENO) == 1 && Output.error.isTerminal }

  /// Asks a question; only "yes" is yes.
  static func ask(_ question: String) -> Bool {
    Output.error.write(question)
    return readLine() == "yes"
  }
}
