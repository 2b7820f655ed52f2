import Crypto
import Synchronization

/// Whole files out of and into a container.
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

  /// Delivers the whole of a file; see ``DataVolume/read(_:stallTimeout:deliver:)``.
  @discardableResult
  public func read(
    _ path: String, stallTimeout: Duration, deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    try Path.check(path)
    guard transport != .execute, Path.isPlain(path) else {
      return try await readByExec(path, stallTimeout: stallTimeout, deliver: deliver)
    }
    let answer = try await text(.statusAndTar, path)
    let lines = answer.split(separator: "\n").map(String.init)
    guard transport == .copy || lines.count > 1 else {
      return try await readByExec(path, stallTimeout: stallTimeout, deliver: deliver)
    }
    let before = try FileStatus(scriptLine: lines.first ?? "", of: path)
    do {
      let (received, ending) = try await kubectl.copy(
        path, from: container, stallTimeout: stallTimeout
      ) { running in
        try await deliverAll(of: running, path, expecting: before.byteCount, to: deliver)
      }
      if ending.status != 0, received == 0, before.byteCount > 0 {
        throw kubectl.failure(ending, of: "kubectl cp", at: container)
      }
      return try checkRead(
        path, before: before, after: try await statusAfter(path, ending: ending),
        received: received, isFailed: ending.status != 0)
    } catch {
      await cleanUp { _ = try await $0.text(.endCopy, path) }
      throw error
    }
  }

  private func readByExec(
    _ path: String, stallTimeout: Duration, deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> FileStatus {
    guard let expected = try await status(of: path) else {
      throw TargetError.fileNotFound(path: path)
    }
    let (received, ending) = try await kubectl.stream(
      PodScript.read.command([path, "\(expected.byteCount)"]), in: container,
      stallTimeout: stallTimeout
    ) { running in
      try await deliverAll(
        of: running, path, expecting: expected.byteCount, acknowledging: true, to: deliver)
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

  private nonisolated(nonsending) func deliverAll(
    of running: ChildProcess.Running, _ path: String, expecting byteCount: UInt64,
    acknowledging: Bool = false, to deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws -> UInt64 {
    var received: UInt64 = 0
    if acknowledging, byteCount == 0 { _ = try await running.write([10]) }
    while let piece = try await running.nextOutput() {
      guard UInt64(piece.count) <= byteCount - received else {
        throw TargetError.changedWhileReading(path: path)
      }
      received += UInt64(piece.count)
      try await running.whileWaiting { try await deliver(piece) }
      if acknowledging, received == byteCount { _ = try await running.write([10]) }
    }
    return received
  }

  /// The status after a copy; nil when nothing is there, or when the copy failed and the container
  /// does not answer: then the byte count tells more than a second error.
  private func statusAfter(
    _ path: String, ending: ChildProcess.Ending
  ) async throws -> FileStatus? {
    do {
      return try await status(of: path)
    } catch let error as TargetError {
      if ending.status != 0 { return nil }
      throw error
    }
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

  /// Creates a file; see ``DataVolume/write(_:ownership:stallTimeout:from:)``.
  @discardableResult
  public func write(
    _ path: String, ownership: FileOwnership?, stallTimeout: Duration,
    from next: @Sendable () async throws -> [UInt8]?
  ) async throws -> FileStatus {
    try Path.check(path)
    let command = PodScript.write.command([path] + ownership.scriptArguments)
    var isBegun = false
    var sent: UInt64 = 0
    do {
      let (answer, ending) = try await kubectl.stream(
        command, in: container, stallTimeout: stallTimeout
      ) { running in
        // Nothing is sent, and nothing will be removed, before it is known that the file is ours.
        var answer: [UInt8] = []
        while answer.count < Self.created.count, let piece = try await running.nextOutput() {
          answer += piece
        }
        isBegun = answer.starts(with: Self.created)
        while isBegun, let piece = try await running.whileWaiting(next) {
          sent += UInt64(piece.count)
          guard try await running.write(piece) else { break }
        }
        try await running.finishInput()
        running.allow(silence: stallTimeout + Self.allowance(byteCount: sent))
        answer += try await running.remainingOutput(limit: 64 << 10, what: "kubectl exec")
        return answer
      }
      guard ending.status == 0 else { throw failure(ending, path: path) }
      let line = try Self.answer(answer, beginning: "created\n")
      let status = try FileStatus(
        scriptLine: String(decoding: line, as: UTF8.self).trimmed, of: path)
      guard status.byteCount == sent else {
        throw TargetError.cutShort(path: path, expected: sent, received: status.byteCount)
      }
      return status
    } catch {
      if isBegun { await cleanUp { try await $0.remove(path) } }
      throw error
    }
  }

  /// Returns the SHA-256 of a file; see ``DataVolume/sha256(of:stallTimeout:)``.
  public func sha256(of path: String, stallTimeout: Duration) async throws -> String {
    try Path.check(path)
    let (answer, ending) = try await kubectl.stream(
      PodScript.sha256.command([path]), in: container, stallTimeout: stallTimeout
    ) { running in
      var answer: [UInt8] = []
      while let piece = try await running.nextOutput(), answer.count < 64 << 10 {
        answer += piece
        // The first line is the size: a tool that reads that much is silent for a while.
        if let line = answer.split(separator: 10, omittingEmptySubsequences: false).first,
          line.count < answer.count, let byteCount = UInt64(String(decoding: line, as: UTF8.self))
        {
          running.allow(silence: stallTimeout + Self.allowance(byteCount: byteCount))
        }
      }
      return answer
    }
    guard ending.status == 0 else { throw failure(ending, path: path) }
    let text = String(decoding: try Self.answer(answer), as: UTF8.self)
    let lines = text.split(separator: "\n")
    // Without a tool in the container, there is only the size.
    guard lines.count > 1 else {
      let digest = Mutex(SHA256())
      try await read(path, stallTimeout: stallTimeout) { piece in
        digest.withLock { $0.update(data: piece) }
      }
      return digest.withLock { $0.finalize() }.hexadecimal
    }
    // `DIGEST  -` of sha256sum, `SHA2-256(stdin)= DIGEST` of openssl.
    guard let digest = lines[1].split(separator: " ").first(where: { $0.utf8.count == 64 }) else {
      throw TargetError.unexpectedAnswer(what: "sha256sum", message: String(lines[1]))
    }
    return digest.lowercased()
  }

  /// How long a container may be silent while it syncs or reads this much: 8 MiB a second.
  private static func allowance(byteCount: UInt64) -> Duration {
    .milliseconds(Int64(clamping: byteCount / 8389))
  }

  private static let created = Array("created\n".utf8)

  /// Runs something that follows a failure, also when this task was cancelled.
  private func cleanUp(
    _ body: @escaping @Sendable (PodVolume) async throws -> Void
  ) async {
    var volume = self
    volume.kubectl.timeout = min(kubectl.timeout, .seconds(10))
    await Task { [volume] in
      do {
        try await body(volume)
      } catch {
        // The failure before is what the caller has to hear of.
      }
    }.value
  }
}

extension SHA256.Digest {
  /// The digest in lower-case hex digits.
  var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    let bytes = flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    return String(decoding: bytes, as: UTF8.self)
  }
}
