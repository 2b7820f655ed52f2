import CProcess
import Glibc

/// How this process shares the machine with others.
public enum ThisProcess {
  /// Keeps the memory of the process near to what is in use; to be called while it has one thread.
  public static func keepMemorySmall() {
    // An arena for each thread keeps what other threads freed in its own: blocks that were used once
    // would count for ever.
    raibid_use_one_arena(4 << 20)
  }

  /// Lets others have the cores and the disk first, from now on: in all threads that there are, and in
  /// those of ``Workers`` that start later.
  ///
  /// Only an advice: where the system refuses, all stays as it is.
  public static func lowerPriority() {
    // The kernel keeps priorities by thread; threads that start later have that of their starter. (Those of
    // Swift's own pool take a normal one when root runs them, but they are not those that work.)
    guard let directory = unsafe opendir("/proc/self/task") else { return }
    defer { unsafe closedir(directory) }
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe String(cString: UnsafeRawPointer(pointer).assumingMemoryBound(to: CChar.self))
      }
      if let thread = Int32(name) { raibid_lower_priority(thread) }
    }
  }
}
