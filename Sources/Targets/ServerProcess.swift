import Glibc

/// A process of this host that may be a Redis server.
public struct ServerProcess: Sendable, Equatable {
  /// What was found under a process number.
  public enum Finding: Sendable, Equatable {
    /// A Redis or Valkey server whose working directory is the one asked for.
    case serverInDirectory
    case noProcess
    /// There is one, of which this user may not even see that it is there (`hidepid`, proc(5)).
    case hidden
    /// Another program; `name` is what the kernel calls it.
    case otherProgram(name: String)
    case otherDirectory(directory: String)
    /// This user may not look at that process.
    case notPermitted
  }

  let id: Int
  /// When the process started, in clock ticks since boot: a number that is used again differs.
  let startTicks: String

  /// Finds out whether a process of this host is the server of a data directory.
  ///
  /// A server on another host, or in a container, has a `process_id` that names nothing here, or
  /// something else.
  ///
  /// - Parameters:
  ///   - id: The server's `process_id` in `INFO`.
  ///   - directory: The server's `dir`; compared by device and inode.
  public static func find(id: Int, inDirectory directory: String) -> Finding {
    guard let process = ServerProcess(id: id) else { return isHidden(id) ? .hidden : .noProcess }
    // A server that was started through the loader of another C library has that one's name.
    guard [process.name, process.title].contains(where: Self.isServerName) else {
      return .otherProgram(name: process.name)
    }
    // In a container it has another number of its own: this one is some other server.
    guard process.ownID ?? id == id else { return .noProcess }
    return directoryFinding(id, directory)
  }

  /// Whether a process works in a directory.
  private static func directoryFinding(_ id: Int, _ directory: String) -> Finding {
    var here = stat()
    var there = stat()
    let workingDirectory = "/proc/\(id)/cwd"
    guard unsafe stat(workingDirectory, &there) == 0 else {
      return errno == ENOENT ? .noProcess : .notPermitted
    }
    let isSeen = unsafe stat(directory, &here) == 0
    if !isSeen, errno == EACCES { return .notPermitted }
    guard isSeen, here.st_dev == there.st_dev, here.st_ino == there.st_ino else {
      return .otherDirectory(directory: Self.linkTarget(workingDirectory))
    }
    return .serverInDirectory
  }

  /// Whether other users' processes are not to be seen at all (`hidepid`, proc(5)).
  static var othersAreHidden: Bool { isHidden(1) }

  /// The servers of this host that work in a directory, by their numbers; beside them those whose directory this
  /// user may not look at.
  static func servers(
    inDirectory directory: String
  ) throws(TargetError) -> (found: [Int], unseen: [Int]) {
    var found: [Int] = []
    var unseen: [Int] = []
    for name in try POSIX.names(in: "/proc") ?? [] {
      guard let id = Int(name), let process = ServerProcess(id: id),
        [process.name, process.title].contains(where: isServerName),
        !Self.clients.contains(where: process.name.contains)
      else { continue }
      switch directoryFinding(id, directory) {
      case .serverInDirectory: found.append(id)
      case .notPermitted: unseen.append(id)
      default: continue
      }
    }
    return (found, unseen)
  }

  /// Creates the process that has a number now; nil when none has, or only its remains.
  init?(id: Int) {
    guard id > 0, let fields = Self.statFields(id), fields.count > 19,
      fields[0] != "Z", fields[0] != "X"
    else { return nil }
    self.id = id
    startTicks = fields[19]
  }

  /// Whether this very process still runs.
  var isRunning: Bool {
    ServerProcess(id: id) == self
  }

  /// Whether a process that is not to be seen under `/proc` is there: a signal would reach it, or be refused.
  private static func isHidden(_ id: Int) -> Bool {
    guard let number = pid_t(exactly: id), number > 0,
      unsafe access("/proc/\(id)", F_OK) != 0
    else { return false }
    return kill(number, 0) == 0 || errno == EPERM
  }

  /// What programs that only have to do with servers are called.
  private static let clients = ["-cli", "-benchmark", "-check-", "exporter"]

  private static func isServerName(_ name: String) -> Bool {
    name.contains("redis") || name.contains("valkey")
  }

  /// The title that a server gives itself in place of its arguments.
  private var title: String {
    POSIX.kernelText("/proc/\(id)/cmdline")?.trimmed ?? ""
  }

  /// Its number as it sees it itself; nil where the kernel does not tell.
  private var ownID: Int? {
    statusFields("NSpid:").last.flatMap { Int($0) }
  }

  /// The user that it runs as; nil where the kernel does not tell.
  var userID: Substring? {
    statusFields("Uid:").last
  }

  /// The values of a line of `/proc/PID/status` (proc(5)), which everybody may read.
  private func statusFields(_ name: String) -> [Substring] {
    let lines = POSIX.kernelText("/proc/\(id)/status")?.split(separator: "\n") ?? []
    let line = lines.first { $0.hasPrefix(name) } ?? ""
    return Array(line.split(whereSeparator: \.isWhitespace).dropFirst())
  }

  private var name: String {
    POSIX.kernelText("/proc/\(id)/comm")?.trimmed ?? ""
  }

  /// The fields of `/proc/PID/stat` from the state on (proc(5)): the name before may have blanks.
  private static func statFields(_ id: Int) -> [String]? {
    guard let line = POSIX.kernelText("/proc/\(id)/stat"),
      let end = line.lastIndex(of: ")")
    else { return nil }
    return line[line.index(after: end)...].split(separator: " ").map(String.init)
  }

  /// When a process was started, in ticks since the host was; nil where there is none, or it has ended.
  static func startTicks(of id: Int) -> String? {
    guard let fields = statFields(id), fields.count > 19, !["Z", "X"].contains(fields[0]) else {
      return nil
    }
    return fields[19]
  }

  static func linkTarget(_ path: String) -> String {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink(path, &buffer, buffer.count)
    let bytes = buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:))
    return String(decoding: bytes, as: UTF8.self)
  }
}
