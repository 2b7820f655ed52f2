import Glibc

/// A process of this tool, so named that another process of the same host can tell whether it still runs.
public struct ToolProcess: RawRepresentable, Codable, Sendable, Equatable {
  /// Its number, the time of its start in ticks of the kernel, the boot of the host, and its PID namespace.
  public let rawValue: String

  /// This process.
  public static let current = ToolProcess(processID: Int(getpid()))

  /// Takes what another process has called itself.
  public init(rawValue: String) {
    self.rawValue = rawValue
  }

  /// Names a process of this host.
  init(processID: Int) {
    let boot = POSIX.kernelText("/proc/sys/kernel/random/boot_id")?.trimmed ?? ""
    let start = ServerProcess.startTicks(of: processID) ?? ""
    rawValue = "\(processID) \(start) \(boot) \(ServerProcess.linkTarget("/proc/self/ns/pid"))"
  }

  /// Its number on its host.
  public var processID: Int? { Int(rawValue.prefix { $0 != " " }) }

  /// Whether it is another process of this host, and runs; of those of other hosts nothing is known.
  public var isOtherAtWork: Bool {
    guard self != .current, let processID, ServerProcess.startTicks(of: processID) != nil else {
      return false
    }
    return ToolProcess(processID: processID) == self
  }
}
