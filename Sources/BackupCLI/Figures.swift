/// Sizes, spans and tables as people read them.
enum Figures {
  /// A size: "512 B", "1.5 MiB".
  static func bytes(_ count: UInt64) -> String {
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
  static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<10: "\(tenths(max(seconds, 0))) s"
    case ..<120: "\(Int(seconds)) s"
    case ..<7200: "\(Int(seconds / 60)) min"
    case ..<172_800: "\(Int(seconds / 3600)) h"
    default: "\(Int(seconds / 86400)) d"
    }
  }

  /// Rows under their headings, columns as wide as their widest cell.
  static func table(_ headings: [String], _ rows: [[String]]) -> String {
    let widths = headings.indices.map { column in
      ([headings] + rows).map { $0[column].count }.max() ?? 0
    }
    return ([headings] + rows).map { row in
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.count)
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line + "\n"
    }.joined()
  }

  private static func tenths(_ value: Double) -> String {
    let scaled = Int((value * 10).rounded())
    return "\(scaled / 10).\(scaled % 10)"
  }
}
