import FoundationEssentials

/// How names and times that are bytes and numbers in a dump are printed.
enum Shown {
  /// A name as one line of a terminal can show it: escaped where it cannot be printed, cut where long.
  static func name(_ bytes: [UInt8], limit: Int = 60) -> String {
    let shown = bytes.prefix(limit).map { byte in
      (0x20..<0x7f).contains(byte)
        ? String(UnicodeScalar(byte)) : "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
    return shown.isEmpty ? "\"\"" : shown + (bytes.count > limit ? "…" : "")
  }

  /// A time in Unix milliseconds, to a millisecond; nil for none.
  static func time(_ milliseconds: Int64?) -> String? {
    milliseconds.map {
      date(Double($0) / 1000).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
  }

  /// A time in Unix seconds, or the nearest that RFC 3339 can write, in the years 0 to 9999.
  static func date(_ seconds: Double) -> Date {
    Date(timeIntervalSince1970: min(max(seconds, -62_167_219_200), 253_402_300_799))
  }
}
