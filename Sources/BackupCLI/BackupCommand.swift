import ArgumentParser
import Operations

/// A command of the program: it prints its own document, and throws what should end it otherwise.
protocol BackupCommand: AsyncParsableCommand, Sendable {
  var server: ServerOptions { get }
  var archives: DirectoryOptions { get }
  /// The file with the key of this client's certificate.
  var clientKeyFile: String? { get }
  /// How a local server is started again, where the command can do that.
  var restartCommand: String? { get }
  /// The sections of a file with settings that are about it, the more special ones last.
  static var sections: [String] { get }

  func run() async throws
}

extension BackupCommand {
  var restartCommand: String? { nil }
  static var sections: [String] { [_commandName] }

  /// Where the commands that an error proposes should act.
  var place: CommandPlace {
    var place = CommandPlace(arguments: Array(CommandLine.arguments.dropFirst()))
    place.serverOptions = server.words(key: clientKeyFile)
    place.archiveOptions = archives.words
    place.restartCommand = restartCommand
    do {
      place.settings = try server.settings(key: clientKeyFile, readsPasswordFile: false)
    } catch {
      // The same error ends the command; it is printed there.
    }
    return place
  }
}
