import Targets

/// The files that a child of the server is writing, or the server itself during `SAVE`: their growth
/// shows that a save moves although its counters stand still, as they do over one large value.
struct UnfinishedFiles: Sendable {
  private let volume: any DataVolume
  private let directory: String
  private let interval: Duration
  private var sizes: [String: UInt64] = [:]
  private var lastLook = ContinuousClock.now

  /// - Parameters:
  ///   - directory: The server's `dir`, where it writes `temp-…` files.
  ///   - interval: The shortest time between two looks, each of which may be a call to a cluster.
  init(of volume: any DataVolume, in directory: String, interval: Duration) {
    self.volume = volume
    self.directory = directory
    self.interval = interval
  }

  /// Whether any of them has changed since the last look; false while it is too early for the next.
  mutating func haveGrown() async throws -> Bool {
    guard ContinuousClock.now - lastLook >= interval else { return false }
    lastLook = .now
    var found: [String: UInt64] = [:]
    do {
      for name in try await volume.list(directory) ?? [] where name.hasPrefix("temp-") {
        found[name] = try await volume.status(of: join(directory, name))?.byteCount
      }
    } catch is TargetError {
      // A look that fails shows no growth; whether that matters, the next ones will tell.
      return false
    }
    defer { sizes = found }
    return found != sizes
  }
}
