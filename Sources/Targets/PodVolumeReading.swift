/// Whole files out of a container.
extension PodVolume {
  /// Returns how a file could be read; see ``DataVolume/transport(for:slowly:)``.
  ///
  /// A way that was chosen is not questioned.
  public func transport(for path: String, slowly: Bool) async throws -> FileTransport? {
    try Path.check(path)
    guard let way = try await way(for: path, slowly: slowly) else { return nil }
    return FileTransport(
      name: way.rawValue,
      volume: PodVolume(kubectl: kubectl, container: container, transport: way))
  }

  private func way(for path: String, slowly: Bool) async throws -> Transport? {
    var way = transport
    if way == .automatic {
      let answer: String
      do {
        answer = try await text(.transport, Path.parent(of: path))
      } catch TargetError.toolMissingInContainer {
        // Not even a shell.
        return nil
      }
      if answer == "none" { return nil }
      guard let best = Transport(rawValue: answer) else {
        throw TargetError.unexpectedAnswer(what: "kubectl exec", message: answer)
      }
      // What is still under way when tar ends can be lost; our own command waits for us.
      way = slowly ? .execute : best
    }
    return Path.isPlain(path) ? way : .execute
  }

  /// Delivers the whole of a file; see ``DataVolume/read(_:after:stallTimeout:deliver:)``.
  @discardableResult
  public func read(
    _ path: String, after before: FileStatus?, stallTimeout: Duration,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    try Path.check(path)
    guard transport != .execute, Path.isPlain(path) else {
      return try await readByExec(
        path, after: before, stallTimeout: stallTimeout, deliver: deliver)
    }
    if transport == .copy, let before, before.kind == .file {
      return try await readByCopy(
        path, after: before, stallTimeout: stallTimeout, deliver: deliver)
    }
    let answer = try await text(.statusAndTar, path)
    let lines = answer.split(separator: "\n").map(String.init)
    let status = try FileStatus(scriptLine: lines.first ?? "", of: path)
    guard transport == .copy || lines.count > 1 else {
      return try await readByExec(
        path, after: status, stallTimeout: stallTimeout, deliver: deliver)
    }
    return try await readByCopy(path, after: status, stallTimeout: stallTimeout, deliver: deliver)
  }

  private func readByCopy(
    _ path: String, after before: FileStatus, stallTimeout: Duration,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    do {
      let (received, after, ending) = try await withStatusAtHand(
        of: path, stallTimeout: stallTimeout
      ) { statusNow -> (UInt64, Result<FileStatus?, any Error>, ChildProcess.Ending) in
        let ((received, after), ending) = try await kubectl.copy(
          path, from: container, stallTimeout: stallTimeout
        ) { running -> (UInt64, Result<FileStatus?, any Error>) in
          let received = try await deliverAll(
            of: running, path, expecting: before.byteCount, to: deliver)
          guard received == before.byteCount else { return (received, .success(nil)) }
          let after = await running.whileWaiting { await result(of: statusNow) }
          try await requireEnd(of: running, path)
          return (received, after)
        }
        return (received, after, ending)
      }
      if ending.status != 0, received == 0, before.byteCount > 0 {
        throw kubectl.failure(ending, of: "kubectl cp", at: container)
      }
      return try checkRead(
        path, before: before, after: ending.status == 0 ? try after.get() : nil,
        received: received, isFailed: ending.status != 0)
    } catch {
      await cleanUp { _ = try await $0.text(.endCopy, path) }
      throw error
    }
  }

  private func readByExec(
    _ path: String, after known: FileStatus?, stallTimeout: Duration,
    deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    var expected = known
    if expected == nil { expected = try await status(of: path) }
    guard let expected else { throw TargetError.fileNotFound(path: path) }
    let (received, ending) = try await kubectl.stream(
      PodScript.read.command([path, "\(expected.byteCount)"]), in: container,
      stallTimeout: stallTimeout
    ) { running in
      let received = try await deliverAll(
        of: running, path, expecting: expected.byteCount, to: deliver)
      if received == expected.byteCount {
        // Our own command ends only when it is told that all is here.
        _ = try await running.write([10])
        try await requireEnd(of: running, path)
      }
      return received
    }
    guard let line = ending.standardError.between("raibid-before ", "\n"), !line.isEmpty else {
      throw failure(ending, path: path)
    }
    let before = try FileStatus(scriptLine: line, of: path)
    var after: FileStatus?
    if let line = ending.standardError.between("raibid-after ", "\n"), !line.isEmpty {
      after = try FileStatus(scriptLine: line, of: path)
    }
    return try checkRead(
      path, before: before, after: after, received: received, isFailed: ending.status != 0)
  }

  /// - Returns: How much was delivered: less than expected when no more came.
  private nonisolated(nonsending) func deliverAll(
    of running: ChildProcess.Running, _ path: String, expecting byteCount: UInt64,
    to deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> UInt64 {
    var received: UInt64 = 0
    while received < byteCount, let piece = try await running.nextOutput() {
      guard UInt64(piece.count) <= byteCount - received else {
        throw TargetError.changedWhileReading(path: path)
      }
      received += UInt64(piece.count)
      try await running.whileWaiting { try await deliver(piece) }
    }
    return received
  }

  private nonisolated(nonsending) func requireEnd(
    of running: ChildProcess.Running, _ path: String
  ) async throws {
    if try await running.nextOutput() != nil { throw TargetError.changedWhileReading(path: path) }
  }

  /// Runs a body that can learn the status of a file at once, once: the command that tells it waits in the
  /// container already, instead of taking a part of the copy's time after its end.
  private nonisolated(nonsending) func withStatusAtHand<R: Sendable>(
    of path: String, stallTimeout: Duration,
    _ body:
      nonisolated(nonsending) (
        _ statusNow: nonisolated(nonsending) () async throws -> FileStatus?
      ) async throws -> R
  ) async throws -> R {
    var outcome: R?
    do {
      return try await kubectl.stream(
        PodScript.statusWhenAsked.command([path]), in: container, stallTimeout: stallTimeout
      ) { lookout in
        lookout.pause()
        defer { lookout.isOver = true }
        let result = try await body {
          lookout.resume()
          // A connection that has broken meanwhile says nothing of the file.
          guard let line = try? await Self.answer(of: lookout) else {
            return try await status(of: path)
          }
          return line.isEmpty ? nil : try FileStatus(scriptLine: line, of: path)
        }
        outcome = result
        return result
      }.0
    } catch let error as TargetError {
      // Nor does one that stands still: the status was asked for anew.
      guard case .stalled = error, let outcome else { throw error }
      return outcome
    }
  }

  private static nonisolated(nonsending) func answer(
    of lookout: ChildProcess.Running
  ) async throws -> String {
    _ = try await lookout.write([10])
    let output = try await lookout.remainingOutput(limit: 4096, what: "kubectl exec")
    return String(decoding: try answer(output), as: UTF8.self).trimmed
  }

  private func checkRead(
    _ path: String, before: FileStatus, after: FileStatus?, received: UInt64, isFailed: Bool
  ) throws(TargetError) -> FileStatus {
    if isFailed || received < before.byteCount {
      throw .cutShort(path: path, expected: before.byteCount, received: received)
    }
    guard let after, after.isSameContents(as: before), received == before.byteCount else {
      throw .changedWhileReading(path: path)
    }
    return after
  }
}

/// What a body returns or throws.
private nonisolated(nonsending) func result<Success>(
  of body: nonisolated(nonsending) () async throws -> Success
) async -> Result<Success, any Error> {
  do {
    return .success(try await body())
  } catch {
    return .failure(error)
  }
}
