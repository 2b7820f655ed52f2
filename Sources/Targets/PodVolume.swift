/// The files of a container, reached with `kubectl exec` and `kubectl cp`.
///
/// The container needs `sh` and coreutils or busybox.
public struct PodVolume: DataVolume {
  /// How files are read.
  public enum Transport: String, Sendable {
    /// `kubectl cp` where the container has tar and the path is plain, otherwise `kubectl exec`.
    case automatic
    case copy = "cp"
    case execute = "exec"
  }

  /// How the cluster is called.
  public internal(set) var kubectl: Kubectl
  /// The container whose files these are.
  public let container: PodContainer
  /// How files are read.
  public let transport: Transport

  /// Creates the volume of a running container.
  public init(kubectl: Kubectl, container: PodContainer, transport: Transport = .automatic) {
    self.kubectl = kubectl
    self.container = container
    self.transport = transport
  }

  /// Returns what is at a path; see ``DataVolume/status(of:)``.
  public func status(of path: String) async throws -> FileStatus? {
    let text = try await text(.status, path)
    return text.isEmpty ? nil : try FileStatus(scriptLine: text, of: path)
  }

  /// Returns the names in a directory; see ``DataVolume/list(_:)``.
  public func list(_ directory: String) async throws -> [String]? {
    do {
      let output = try await output(.list, directory, beginning: "directory\n")
      let names = output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
      guard output.isEmpty || output.last == 0 else {
        throw TargetError.incompleteAnswer(what: "kubectl exec")
      }
      return names.sorted()
    } catch TargetError.fileNotFound {
      return nil
    }
  }

  /// Returns the whole of a small file; see ``DataVolume/contents(of:limit:)``.
  public func contents(of path: String, limit: Int) async throws -> [UInt8]? {
    do {
      let output = try await output(
        .contents, path, ["\(limit + 1)"], outputLimit: limit + 64, beginning: "file\n")
      guard output.count <= limit else { throw TargetError.tooLong(what: path, limit: limit) }
      return Array(output)
    } catch TargetError.fileNotFound {
      return nil
    }
  }

  /// Gives a file a second name; see ``DataVolume/link(_:to:)``.
  public func link(_ path: String, to newPath: String) async throws {
    try Path.check(newPath)
    let (output, ending) = try await execute(.link, [path, newPath])
    guard ending.status != 0 else { return try Self.checkEnd(output) }
    let message = ending.remoteMessage
    let refusals = [
      "not permitted", "not supported", "not implemented", "Too many links", "cross-device",
    ]
    if refusals.contains(where: message.contains) {
      throw TargetError.linksNotSupported(path: path, message: message)
    }
    throw failure(ending, path: ending.status == PodScript.Status.exists ? newPath : path)
  }

  /// Puts a small text in the place of a file; see ``DataVolume/replace(_:with:)``.
  public func replace(_ path: String, with text: String) async throws {
    _ = try await output(.replace, path, [text])
  }

  /// Renames a file in one step; see ``DataVolume/rename(_:to:)``.
  public func rename(_ path: String, to newPath: String) async throws {
    try Path.check(newPath)
    let (output, ending) = try await execute(.rename, [path, newPath])
    guard ending.status != 0 else { return try Self.checkEnd(output) }
    throw failure(ending, path: ending.status == PodScript.Status.exists ? newPath : path)
  }

  /// Removes a file; see ``DataVolume/remove(_:)``.
  public func remove(_ path: String) async throws {
    _ = try await text(.remove, path)
  }

  /// Creates a directory; see ``DataVolume/makeDirectory(_:ownership:)``.
  public func makeDirectory(_ path: String, ownership: FileOwnership?) async throws {
    _ = try await output(.makeDirectory, path, ownership.scriptArguments)
  }

  /// Removes an empty directory; see ``DataVolume/removeDirectory(_:)``.
  public func removeDirectory(_ path: String) async throws {
    _ = try await text(.removeDirectory, path)
  }

  /// Returns the free bytes; see ``DataVolume/freeByteCount(at:)``.
  public func freeByteCount(at path: String) async throws -> UInt64 {
    let text = try await text(.freeSpace, path)
    let figures = text.split(separator: " ").compactMap { UInt64($0) }
    guard figures.count == 2 else {
      throw TargetError.unexpectedAnswer(what: "stat -f", message: text)
    }
    let (byteCount, isTooMuch) = figures[0].multipliedReportingOverflow(by: figures[1])
    return isTooMuch ? .max : byteCount
  }
}
