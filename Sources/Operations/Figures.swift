/// Sizes and spans as people read them.
public enum Figures {
  /// A size: "512 B", "1.5 MiB".
  public static func bytes(_ count: UInt64) -> String {
    var value = Double(count)
    for unit in ["B", "KiB", "MiB", "GiB", "TiB"] {
      if value < 1024 || unit == "TiB" {
        return unit == "B" ? "\(count) B" : "\(tenths(value)) \(unit)"
      }
      value /= 1024
    }
    return "\(count) B"
  }

  /// A span: "0.4 s", "12 s", "5 min", "3 h", "2 d".
  public static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<10: "\(tenths(max(seconds, 0))) s"
    case ..<120: "\(Int(seconds)) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86400)) d"
    }
  }

  /// A number of keys: "1 key", "2 keys".
  public static func keys(_ count: Int) -> String { count == 1 ? "1 key" : "\(count) keys" }

  /// A number of things: "1 stream", "2 streams", "1 entry", "2 entries".
  public static func count(_ count: UInt64, _ one: String, _ many: String? = nil) -> String {
    "\(count) " + (count == 1 ? one : many ?? one + "s")
  }

  /// A limit: "60 s", "1.5 s".
  static func limit(_ duration: Duration) -> String {
    let seconds = duration.seconds
    return seconds == seconds.rounded() ? "\(Int(seconds)) s" : "\(seconds) s"
  }

  private static func tenths(_ value: Double) -> String {
    let scaled = Int((value * 10).rounded())
    return "\(scaled / 10).\(scaled % 10)"
  }
}
