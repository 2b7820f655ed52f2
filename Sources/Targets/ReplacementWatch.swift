import Glibc
import Synchronization

/// Counts how often processes of this host put a file in the place of one path, by renaming it, and knows
/// which one a server is writing for it.
///
/// A server finishes its dump so, and nothing that another host does is counted. inotify(7) tells it,
/// also of what happens through another mount of the same directory.
public final class ReplacementWatch: Sendable {
  /// Where a file comes from is asked too: the kernel tells equal events in a row once only, whatever
  /// inotify(7) says of their cookies.
  private static let mask = UInt32(IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE)

  private struct State: Sendable {
    var count = 0
    /// Whether a server has been asked for a dump.
    var isAsked = false
    /// The name of the dump that was begun last since then.
    var begun: String?
  }

  private let descriptor: Int32
  let path: String
  private let directory: String
  private let name: String
  private let state = Mutex(State())

  /// Begins to count.
  ///
  /// - Parameter path: Its directory must be there; the file need not.
  init(_ path: String) throws(TargetError) {
    self.path = path
    directory = Path.parent(of: path)
    name = path.split(separator: "/").last.map(String.init) ?? ""
    let opened = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
    guard opened >= 0 else {
      let number = errno
      guard number == EMFILE else { throw POSIX.failure(number, path) }
      throw .notWatched(setting: "fs.inotify.max_user_instances")
    }
    descriptor = opened
    do throws(TargetError) {
      _ = try POSIX.call(directory) { [descriptor, directory] in
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

  /// Begins again with nothing, just before a server is asked for a dump.
  public func reset() throws(TargetError) {
    try update { $0 = State(isAsked: true) }
  }

  /// Requires that exactly one file was put there since the count began.
  ///
  /// - Throws: ``TargetError/notReplaced(path:)`` for none, ``TargetError/replacedOften(path:)`` for several.
  public func requireOne() throws(TargetError) {
    let count = try update { $0.count }
    guard count > 0 else { throw .notReplaced(path: path) }
    guard count == 1 else { throw .replacedOften(path: path) }
  }

  /// Where a server has begun to write a dump since it was asked; nil where none has.
  func begunPath() throws(TargetError) -> String? {
    try update { $0.begun }.map { directory + "/" + $0 }
  }

  /// Takes the events that wait into the state, then looks at it or changes it.
  private func update<Value: Sendable>(
    _ body: (inout State) -> Value
  ) throws(TargetError) -> Value {
    try state.withLock { state throws(TargetError) in
      while let events = try read() { try take(events[...], into: &state) }
      return body(&state)
    }
  }

  /// Events that wait; nil for none.
  private func read() throws(TargetError) -> [UInt8]? {
    var events = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let byteCount = unsafe Glibc.read(descriptor, &events, events.count)
      if byteCount > 0 { return Array(events[..<byteCount]) }
      if byteCount < 0, errno == EINTR { continue }
      if byteCount < 0, errno != EAGAIN { throw POSIX.failure(errno, path) }
      return nil
    }
  }

  private func take(
    _ events: ArraySlice<UInt8>, into state: inout State
  ) throws(TargetError) {
    let headByteCount = MemoryLayout<inotify_event>.size
    var rest = events
    while rest.count >= headByteCount {
      let head = unsafe rest.withUnsafeBytes { unsafe $0.loadUnaligned(as: inotify_event.self) }
      // Events were lost: how many files were put there is not known.
      if head.mask & UInt32(IN_Q_OVERFLOW) != 0 { throw .replacedOften(path: path) }
      let nameBytes = rest.dropFirst(headByteCount).prefix(Int(head.len)).prefix { $0 != 0 }
      let name = String(decoding: nameBytes, as: UTF8.self)
      if head.mask & UInt32(IN_MOVED_TO) != 0, nameBytes.elementsEqual(self.name.utf8) {
        state.count += 1
      }
      if head.mask & UInt32(IN_CREATE) != 0, state.isAsked, Self.isUnfinishedDump(name) {
        state.begun = name
      }
      rest = rest.dropFirst(headByteCount + Int(head.len))
    }
  }

  /// Whether a server calls a dump so until it is whole: `temp-`, the writing process, `.rdb`.
  private static func isUnfinishedDump(_ name: String) -> Bool {
    name.hasPrefix("temp-") && name.hasSuffix(".rdb")
      && Int32(name.dropFirst("temp-".count).dropLast(".rdb".count)) != nil
  }
}
