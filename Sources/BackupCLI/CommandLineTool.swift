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
    var place = CommandPlace(arguments: arguments)
    do {
      var parsed = try RaibidBackup.parseAsRoot(arguments)
      guard let command = parsed as? any BackupCommand else {
        try parsed.run()
        return .done
      }
      place = command.place
      let status = try await Signals.cancelling { try await command.run() }
      if status != .done, arguments.contains("--json") {
        ErrorText.print(interruption: status, at: place)
      }
      return status
    } catch let status as ExitStatus {
      return status
    } catch {
      return report(error, at: place)
    }
  }

  private static func report(_ error: any Error, at place: CommandPlace) -> ExitStatus {
    let failure: BackupError
    if let error = error as? BackupError {
      failure = error
    } else {
      let code = RaibidBackup.exitCode(for: error)
      if code == .success {
        Output.standard.write(RaibidBackup.fullMessage(for: error) + "\n")
        return .done
      }
      let names = RaibidBackup.configuration.subcommands.map { $0._commandName }
      failure =
        code == .validationFailure
        ? .commandLine(
          RaibidBackup.message(for: error),
          command: place.arguments.first.flatMap { names.contains($0) ? $0 : nil })
        : .unexpected(error)
    }
    ErrorText.print(failure, at: place, asJSON: place.arguments.contains("--json"))
    return ExitStatus(failure.kind)
  }
}
