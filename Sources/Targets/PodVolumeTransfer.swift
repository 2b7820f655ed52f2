import Crypto
import Synchronization

/// Whole files into a container, and their digests.
extension PodVolume {
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
  func cleanUp(
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
