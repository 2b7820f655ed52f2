import ArgumentParser
import Files
import Glibc
import Operations
import Workers

/// The program: parses the command line, runs the command, prints its error, ends with its exit code.
public enum CommandLineTool {
  /// Runs the command of this process's arguments and ends the process.
  @MainActor public static func run() async -> Never {
    // Here and on the main thread, because it must be done before there is another.
    ThisProcess.keepMemorySmall()
    // A reader that leaves early is a failed write, not a reason to be killed.
    signal(SIGPIPE, SIG_IGN)
    var status = await run(Array(CommandLine.arguments.dropFirst()))
    if status == .done, let number = Output.standard.failure {
      let error = BackupError(
        FileError(verb: "write", path: "/dev/stdout", errorNumber: number))
      ErrorText.print(error, at: CommandPlace(arguments: []), asJSON: false)
      status = ExitStatus(error.kind)
    }
    exit(status.rawValue)
  }

  private static func run(_ arguments: [String]) async -> ExitStatus {
    let settings: Settings
    do {
      settings = try Settings(for: arguments, environment: .current)
      for (name, nearest) in try settings.strayVariables(in: .current) {
        ErrorText.print(warning: BackupError.variable(name, unknownBeside: nearest))
      }
    } catch {
      return report(error, at: CommandPlace(arguments: arguments), asJSON: arguments)
    }
    return await Settings.$current.withValue(settings) {
      await run(arguments, with: settings)
    }
  }

  private static func run(_ arguments: [String], with settings: Settings) async -> ExitStatus {
    var place = CommandPlace(arguments: arguments)
    do {
      var parsed = try RaibidBackup.parseAsRoot(settings.words)
      guard let command = parsed as? any BackupCommand else {
        try parsed.run()
        return .done
      }
      place = command.place
      let status = try await Signals.cancelling { try await command.run() }
      if status != .done {
        ErrorText.print(
          interruption: status, at: place, asJSON: Settings.asksForJSON(settings.words))
      }
      return status
    } catch let status as ExitStatus {
      return status
    } catch {
      return report(error, at: place, asJSON: settings.words)
    }
  }

  private static func report(
    _ error: any Error, at place: CommandPlace, asJSON words: [String]
  ) -> ExitStatus {
    let failure: BackupError
    if let error = error as? BackupError {
      failure = error
    } else {
      let code = RaibidBackup.exitCode(for: error)
      if code == .success {
        Output.standard.write(RaibidBackup.fullMessage(for: error) + "\n")
        return .done
      }
      failure =
        code == .validationFailure
        ? refusal(RaibidBackup.message(for: error), of: place.arguments) : .unexpected(error)
    }
    if Settings.asksForNagios(words) {
      Output.standard.write(StatusText.nagios(failure))
      return .nagiosUnknown
    }
    ErrorText.print(failure, at: place, asJSON: Settings.asksForJSON(words))
    return ExitStatus(failure.kind)
  }

  private static func refusal(_ fact: String, of arguments: [String]) -> BackupError {
    if let error = Settings.current.error(refusing: fact) { return error }
    return .commandLine(fact, command: commandWords(of: arguments))
  }

  /// The words that name a command: of `schedule cron --at 1:00` the first two.
  private static func commandWords(of arguments: [String]) -> [String] {
    var command: any ParsableCommand.Type = RaibidBackup.self
    return Array(
      arguments.prefix { word in
        guard
          let next = command.configuration.subcommands.first(where: { $0._commandName == word })
        else { return false }
        command = next
        return true
      })
  }
}
