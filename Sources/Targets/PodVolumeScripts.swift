/// Running scripts, and what their ends mean.
extension PodVolume {
  /// Runs a script and returns its output without the end mark; any failure is thrown.
  ///
  /// - Parameter beginning: What every whole answer begins with; it is removed as well.
  func output(
    _ script: PodScript, _ path: String, _ arguments: [String] = [],
    outputLimit: Int = 16 << 20, beginning: String = ""
  ) async throws -> ArraySlice<UInt8> {
    let (output, ending) = try await execute(
      script, [path] + arguments, outputLimit: outputLimit)
    guard ending.status == 0 else { throw failure(ending, path: path) }
    return try Self.answer(output, beginning: beginning)
  }

  /// Runs a script whose output is a line or nothing.
  func text(_ script: PodScript, _ path: String) async throws -> String {
    String(decoding: try await output(script, path), as: UTF8.self).trimmed
  }

  func execute(
    _ script: PodScript, _ arguments: [String], outputLimit: Int = 16 << 20
  ) async throws -> (output: [UInt8], ending: ChildProcess.Ending) {
    if let path = arguments.first { try Path.check(path) }
    return try await kubectl.execute(
      script.command(arguments), in: container, outputLimit: outputLimit)
  }

  /// The part of a script's output before its end mark.
  static func answer(
    _ output: [UInt8], beginning: String = ""
  ) throws(TargetError) -> ArraySlice<UInt8> {
    let endMark = Array(PodScript.endMark.utf8)
    let beginning = Array(beginning.utf8)
    guard output.count >= beginning.count + endMark.count,
      output.starts(with: beginning), output.suffix(endMark.count).elementsEqual(endMark)
    else { throw .incompleteAnswer(what: "kubectl exec") }
    return output[beginning.count..<(output.count - endMark.count)]
  }

  /// Checks that a script with nothing to say came to its end.
  static func checkEnd(_ output: [UInt8]) throws(TargetError) {
    _ = try answer(output)
  }

  /// The error for a script that ended with another status than 0.
  func failure(_ ending: ChildProcess.Ending, path: String) -> TargetError {
    guard ending.isRemote else {
      return kubectl.failure(ending, of: "kubectl exec", at: container)
    }
    switch ending.status {
    case PodScript.Status.missing: return .fileNotFound(path: path)
    case PodScript.Status.exists: return .fileExists(path: path)
    case PodScript.Status.notRegular: return .notRegularFile(path: path)
    default: break
    }
    let message = ending.remoteMessage
    let says = { (texts: String...) in texts.contains(where: message.contains) }
    if let tool = message.missingTool {
      return .toolMissingInContainer(name: tool, container: container.container)
    }
    if ending.status == 127, let tool = message.split(separator: ":").dropLast().last {
      return .toolMissingInContainer(
        name: String(tool).trimmed, container: container.container)
    }
    if ending.status == 137 {
      return .podNotRunning(pod: container.pod, reason: "the command in it was killed")
    }
    if says("No space left on device", "quota exceeded") { return .noSpace(path: path) }
    if says("Permission denied", "Read-only file system", "not permitted") {
      return .permissionDenied(path: path)
    }
    if says("File exists", "overwrite existing file") { return .fileExists(path: path) }
    if says("No such file or directory", "Directory nonexistent") {
      return .fileNotFound(path: path)
    }
    return .io(path: path, message: message.isEmpty ? "status \(ending.status)" : message)
  }
}

extension ChildProcess.Ending {
  private static let remoteMark = "command terminated with exit code "

  /// Whether kubectl did its work and the command in the container failed.
  var isRemote: Bool { standardError.contains(Self.remoteMark) }

  /// What the command in the container said on standard error.
  var remoteMessage: String {
    standardError.split(separator: "\n").filter { !$0.contains(Self.remoteMark) }
      .joined(separator: "\n").trimmed
  }
}

extension FileStatus {
  /// Creates a status from the line of `stat -c '%i %s %u %g %f %Y'`.
  init(scriptLine line: String, of path: String) throws(TargetError) {
    let words = line.split(separator: " ").map(String.init)
    guard words.count == 6, let inode = UInt64(words[0]), let byteCount = UInt64(words[1]),
      let userID = UInt32(words[2]), let groupID = UInt32(words[3]),
      let mode = UInt32(words[4], radix: 16), let modified = Int64(words[5])
    else { throw .unexpectedAnswer(what: "stat \(path)", message: line) }
    self.init(
      inode: inode, byteCount: byteCount, userID: userID, groupID: groupID, rawMode: mode,
      modifiedSeconds: modified)
  }
}

extension FileOwnership? {
  /// Owner, group and mode as `$2` to `$4` of a script, empty for none.
  var scriptArguments: [String] {
    guard let self else { return ["", "", ""] }
    return ["\(self.userID)", "\(self.groupID)", String(self.mode, radix: 8)]
  }
}
