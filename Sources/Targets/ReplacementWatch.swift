import Glibc
import Synchronization

/// Counts how often processes of this host put a file in the place of one path, by renaming it.
///
/// A server finishes its dump so, and nothing that another host does is counted. inotify(7) tells it,
/// also of what happens through another mount of the same directory.
public final class ReplacementWatch: Sendable {
  /// Where a file comes from is asked too: the kernel tells equal events in a row once only, whatever
  /// inotify(7) says of their cookies.
  private static let mask = UInt32(IN_MOVED_TO | IN_MOVED_FROM)

  private let descriptor: Int32
  private let path: String
  private let name: String
  private let found = Mutex(0)

  /// Begins to count.
  ///
  /// - Parameter path: Its directory must be there; the file need not.
  init(_ path: String) throws(TargetError) {
    self.path = path
    name = path.split(separator: "/").last.map(String.init) ?? ""
    let opened = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard opened >= 0 else {
      let number = errno
      guard number == EMFILE else { throw POSIX.failure(number, path) }
      throw .notWatched(setting: "fs.inotify.max_user_instances")
    }
    descriptor = opened
    let directory = Path.parent(of: path)
    do throws(TargetError) {
      _ = try POSIX.call(directory) { [descriptor] in
        unsafe inotify_add_watch(descriptor, directory, Self.mask)
      }
    } catch {
      close(descriptor)
      if case .noSpace = error { throw .notWatched(setting: "fs.inotify.max_user_watches") }
      throw error
    }
  }

  deinit {
    close(descriptor)
  }

  /// Begins again with nothing.
  public func reset() throws(TargetError) {
    _ = try read()
    found.withLock { $0 = 0 }
  }

  /// Requires that exactly one file was put there since the count began.
  ///
  /// - Throws: ``TargetError/notReplaced(path:)`` for none, ``TargetError/replacedOften(path:)`` for several.
  public func requireOne() throws(TargetError) {
    let new = try read()
    let count = found.withLock { count in
      count += new
      return count
    }
    guard count > 0 else { throw .notReplaced(path: path) }
    guard count == 1 else { throw .replacedOften(path: path) }
  }

  /// Takes the events that wait, and returns how many of them are about the path.
  private func read() throws(TargetError) -> Int {
    let headByteCount = MemoryLayout<inotify_event>.size
    var count = 0
    while true {
      var events = [UInt8](repeating: 0, count: 64 << 10)
      let byteCount = unsafe Glibc.read(descriptor, &events, events.count)
      guard byteCount > 0 else {
        if byteCount < 0, errno == EINTR { continue }
        if byteCount < 0, errno != EAGAIN { throw POSIX.failure(errno, path) }
        return count
      }
      var rest = events[..<byteCount]
      while rest.count >= headByteCount {
        let head = unsafe rest.withUnsafeBytes { unsafe $0.loadUnaligned(as: inotify_event.self) }
        // Events were lost: how many files were put there is not known.
        if head.mask & UInt32(IN_Q_OVERFLOW) != 0 { throw .replacedOften(path: path) }
        let nameBytes = rest.dropFirst(headByteCount).prefix(Int(head.len))
        if head.mask & UInt32(IN_MOVED_TO) != 0,
          nameBytes.prefix(while: { $0 != 0 }).elementsEqual(name.utf8)
        {
          count += 1
        }
        rest = rest.dropFirst(headByteCount + Int(head.len))
      }
    }
  }
}
