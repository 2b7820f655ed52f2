import Glibc
import RDBFormat

/// What scripts/bench measures by itself: the parts of a pass over a dump, one after the other on one core.
///
/// Prints the seconds of processor time, medians of some runs, of reading the file, its checksum, its
/// contents, and its keys.
@main
struct MeasureRDB {
  static func main() throws {
    let path = CommandLine.arguments.last ?? ""
    var runs: [[Double]] = []
    for _ in 0..<7 { runs.append(try run(path)) }
    let names = ["read", "crc", "parse", "keys"]
    let medians = names.indices.map { part in runs.map { $0[part] }.sorted()[runs.count / 2] }
    print("{" + zip(names, medians).map { "\"\($0)\": \($1)" }.joined(separator: ", ") + "}")
  }

  private static func run(_ path: String) throws -> [Double] {
    let file = unsafe open(path, O_RDONLY)
    defer { close(file) }
    var seconds = [0.0, 0.0, 0.0, 0.0]
    var last = processorSeconds()
    func lap(_ part: Int) {
      let now = processorSeconds()
      seconds[part] += now - last
      last = now
    }
    var pieces = RDBPieces()
    var inspector = RDBInspector(referenceTime: 0, comparesKeys: false)
    var known = RDBKeySet()
    while true {
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
        count = unsafe max(0, read(file, buffer.baseAddress, buffer.count))
      }
      lap(0)
      if bytes.isEmpty { break }
      let piece = pieces.next(bytes)
      lap(1)
      try inspector.consume(piece)
      let keys = inspector.takeKeys()
      lap(2)
      known.compare(keys)
      lap(3)
    }
    _ = try inspector.finish(comparedBy: known)
    return seconds
  }

  private static func processorSeconds() -> Double {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
