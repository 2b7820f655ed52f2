import FoundationEssentials

/// Seeds for properties. As arguments of a test they are printed when it fails.
public enum Seed {
  /// Seeds that differ from run to run; only the one in `RAIBID_TEST_SEED` where that is set, to
  /// repeat a failure.
  public static func fresh(_ count: Int) -> [UInt64] {
    if let text = ProcessInfo.processInfo.environment["RAIBID_TEST_SEED"], let seed = UInt64(text) {
      return [seed]
    }
    return (0..<count).map { _ in UInt64.random(in: 0...UInt64.max) }
  }
}
