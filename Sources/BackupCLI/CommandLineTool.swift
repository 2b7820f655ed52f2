import ArgumentParser
import Glibc
import Operations

/// The program: parses the command line, runs the command, prints its error, ends with its exit code.
public enum CommandLineTool {
  /// Runs the command of this process's arguments and ends the process.
  public static func run() async -> Never {
    let arguments = Array(CommandLine.arguments.dropFirst())
    exit(await run(arguments).rawValue)
  }

  private static func run(_ arguments: [String]) async -> ExitStatus {
    // A reader that leaves early is a failed write, not a reason to be killed.
    signal(SIGPIPE, SIG_IGN)
    do {
      var parsed = try RaibidBackup.parseAsRoot(arguments)
      guard let command = parsed as? any BackupCommand else {
        try parsed.run()
        return .done
      }
      return try await Signals.cancelling { try await command.run() }
    } catch {
      return report(error, arguments)
    }
  }

  private static func report(_ error: any Error, _ arguments: [String]) -> ExitStatus {
    switch error {
    case let status as ExitStatus:
      return status
    case let error as BackupError:
      ErrorText.print(error, asJSON: arguments.contains("--json"))
      return ExitStatus(error.kind)
    default:
      let code = RaibidBackup.exitCode(for: error)
      if code == .success {
        Output.standard.write(RaibidBackup.fullMessage(for: error) + "\n")
        return .done
      }
      guard code == .validationFailure else {
        let unexpected = BackupError.unexpected(error)
        ErrorText.print(unexpected, asJSON: arguments.contains("--json"))
        return ExitStatus(unexpected.kind)
      }
      let usage = BackupError.commandLine(RaibidBackup.message(for: error))
      ErrorText.print(usage, asJSON: arguments.contains("--json"))
      return .usage
    }
  }
}
