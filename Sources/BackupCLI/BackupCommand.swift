import ArgumentParser

/// A command of the program: it prints its own document, and throws what should end it otherwise.
protocol BackupCommand: AsyncParsableCommand, Sendable {
  func run() async throws
}
