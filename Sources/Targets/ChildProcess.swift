import Glibc
import Subprocess
import Synchronization
import SystemPackage

/// A program to run as a child that cannot outlive the call.
///
/// The child gets a process group of its own, and everything in that group is ended when the call
/// returns, however it ends: first by SIGTERM, after ``ChildProcess/grace`` by SIGKILL.
/// Its environment is ours without the passwords.
struct ChildProcess: Sendable {
  /// How a child ended, and what it said on standard error (beginning and end of it).
  struct Ending: Sendable {
    /// The exit status, or 128 and the number of the signal.
    var status: Int
    var standardError: String
  }

  /// What the child's standard input is.
  enum Input: Sendable {
    case none
    /// A pipe that ``Running/write(_:)`` writes to.
    case pipe
  }

  /// The time between SIGTERM and SIGKILL.
  static let grace = Duration.milliseconds(1500)

  /// Ours, without the passwords that tools of Redis and we read from it.
  static let environment = Environment.inherit.updating([
    "REDISCLI_AUTH": nil, "VALKEYCLI_AUTH": nil, "RAIBID_BACKUP_PASSWORD": nil,
  ])

  /// For messages.
  var name: String
  var executable: FilePath
  var arguments: [String]
  var limit: WaitLimit
  var input: Input = .none
  /// Whether the child leaves our session, so that it lives on when our terminal closes.
  var ownSession = false
  /// Whether its group must not outlive this process even where that ends all of a sudden.
  var endsWithUs = false
  /// What is added to its environment.
  var variables: [String: String] = [:]

  /// Looks a program up in `PATH`.
  ///
  /// - Throws: ``TargetError/toolMissing(name:)``.
  static func find(_ name: String) async throws -> FilePath {
    do {
      return try await Executable.name(name).resolveExecutablePath(in: environment)
    } catch {
      throw TargetError.toolMissing(name: name)
    }
  }

  /// Starts the child, runs the body with it, and waits for its end.
  ///
  /// - Throws: ``TargetError/stalled(what:seconds:)`` when the limit was reached, whatever the body
  ///   made of the early end that it saw; `CancellationError`; what the body throws.
  nonisolated(nonsending) func run<R: Sendable>(
    _ body: nonisolated(nonsending) (Running) async throws -> R
  ) async throws -> (R, Ending) {
    SignalSetup.ignoreBrokenPipes
    let patience = Patience(limit)
    do {
      switch input {
      case .none:
        let result = try await Subprocess.run(
          configuration, input: .none, output: .sequence, error: .sequence
        ) { execution in
          try await attend(execution, writer: nil, patience: patience, body)
        }
        return (result.closureResult.0, Ending(result.terminationStatus, result.closureResult.1))
      case .pipe:
        let result = try await Subprocess.run(
          configuration, input: .inputWriter, output: .sequence, error: .sequence
        ) { execution in
          try await attend(
            execution, writer: execution.standardInputWriter, patience: patience, body)
        }
        return (result.closureResult.0, Ending(result.terminationStatus, result.closureResult.1))
      }
    } catch let error as SubprocessError {
      throw TargetError(error, name: name)
    }
  }

  /// Runs the child with its outputs to files and waits for it alone; what it leaves in the background
  /// lives on.
  ///
  /// - Returns: How the child ended, and the process group of what it has left.
  /// - Throws: ``TargetError/stalled(what:seconds:)`` when the child does not end within the limit;
  ///   then, and on cancellation, everything in its group is ended.
  func startDaemons(
    output: FileDescriptor, error: FileDescriptor
  ) async throws -> (status: Int, group: Int32) {
    let patience = Patience(limit)
    do {
      let result = try await Subprocess.run(
        configuration, input: .none,
        output: .fileDescriptor(output, closeAfterSpawningProcess: false),
        error: .fileDescriptor(error, closeAfterSpawningProcess: false)
      ) { execution in
        let group = execution.processIdentifier.value
        if endsWithUs { Self.groupsToEnd.withLock { _ = $0.insert(group) } }
        defer { Self.groupsToEnd.withLock { _ = $0.remove(group) } }
        await withTaskGroup(of: Void.self) { group in
          group.addTask {
            if await patience.waitUntilExhausted() {
              await execution.teardown(using: [Self.endGroup])
            }
          }
          await execution.teardown(using: [Self.awaitEnd])
          group.cancelAll()
        }
        if patience.exhaustedLimit != nil || Task.isCancelled {
          kill(-execution.processIdentifier.value, SIGKILL)
        }
        return execution.processIdentifier.value
      }
      try Task.checkCancellation()
      if let limit = patience.exhaustedLimit {
        throw TargetError.stalled(what: name, seconds: limit.secondCount)
      }
      return (result.terminationStatus.number, result.closureResult)
    } catch let error as SubprocessError {
      throw TargetError(error, name: name)
    }
  }

  private static let groupsToEnd = Mutex<Set<Int32>>([])

  /// Ends the groups of the children that ``endsWithUs``, at once.
  static func endGroups() {
    groupsToEnd.withLock { groups in
      for group in groups { kill(-group, SIGKILL) }
    }
  }

  private var configuration: Configuration {
    var options = PlatformOptions()
    if ownSession { options.createSession = true } else { options.processGroupID = 0 }
    options.teardownSequence = [Self.endGroup]
    return Configuration(
      executable: .path(executable), arguments: Arguments(arguments),
      environment: Self.environment.updating(
        variables.reduce(into: [:]) { $0[Environment.Key(stringLiteral: $1.key)] = $1.value }),
      platformOptions: options)
  }

  private static let endGroup = TeardownStep.gracefulShutDown(
    toProcessGroup: true, allowedDurationToNextStep: grace)

  /// Signal 0 does nothing: the child ends by itself, or when our patience does.
  private static let awaitEnd = TeardownStep.send(
    signal: Signal(rawValue: 0), allowedDurationToNextStep: .seconds(86_400))

  private nonisolated(nonsending) func attend<In, R: Sendable>(
    _ execution: Execution<In, SequenceOutput, SequenceOutput>, writer: StandardInputWriter?,
    patience: Patience, _ body: nonisolated(nonsending) (Running) async throws -> R
  ) async throws -> (R, String) {
    try await withThrowingTaskGroup(of: String?.self) { group in
      group.addTask {
        var text = BoundedText()
        for try await buffer in execution.standardError {
          text.append(buffer.array)
        }
        return text.text
      }
      group.addTask {
        if await patience.waitUntilExhausted() {
          await execution.teardown(using: [Self.endGroup])
        }
        return nil
      }

      let running = Running(execution.standardOutput, writer: writer, patience: patience)
      let outcome: Result<R, any Error>
      do {
        outcome = .success(try await body(running))
      } catch {
        outcome = .failure(error)
        running.isOver = true
      }
      await execution.teardown(using: [running.isOver ? Self.endGroup : Self.awaitEnd])
      // The child is not reaped yet, so its number still names the group: end what it left behind.
      kill(-execution.processIdentifier.value, SIGKILL)
      if let limit = patience.exhaustedLimit {
        throw TargetError.stalled(what: name, seconds: limit.secondCount)
      }
      try Task.checkCancellation()
      let result = try outcome.get()
      while let text = try await group.next() {
        guard let text else { continue }
        group.cancelAll()
        return (result, text)
      }
      return (result, "")
    }
  }
}

extension ChildProcess.Ending {
  fileprivate init(_ status: TerminationStatus, _ standardError: String) {
    self.init(status: status.number, standardError: standardError)
  }
}

extension TerminationStatus {
  /// The exit status, or 128 and the number of the signal, as shells say it.
  fileprivate var number: Int {
    switch self {
    case .exited(let code): Int(code)
    case .signaled(let signal): 128 + Int(signal)
    }
  }
}
