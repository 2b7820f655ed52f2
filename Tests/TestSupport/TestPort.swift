import Synchronization

/// TCP ports of this machine for servers under test.
public enum TestPort {
  private static let given = Mutex<Set<Int>>([])

  /// A port that this process gets only once.
  ///
  /// It is below the ports that Linux gives to outgoing connections, so that a server can be stopped
  /// and started on it again. Whether another process listens there shows only when it is used.
  public static func next() -> Int {
    given.withLock { given in
      var port: Int
      repeat {
        port = Int.random(in: 20_000..<32_000)
      } while !given.insert(port).inserted
      return port
    }
  }
}
