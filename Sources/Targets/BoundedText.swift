/// Keeps the beginning and the end of a text of any length: the first line often names the cause,
/// the last one the outcome.
struct BoundedText {
  private static let halfByteCount = 32 << 10
  private var head: [UInt8] = []
  private var tail: [UInt8] = []
  private var droppedByteCount = 0

  mutating func append(_ bytes: some Collection<UInt8>) {
    let room = min(Self.halfByteCount - head.count, bytes.count)
    head.append(contentsOf: bytes.prefix(room))
    tail.append(contentsOf: bytes.dropFirst(room))
    // Twice the size, so that the bytes are moved once in a while and not for each append.
    if tail.count > 2 * Self.halfByteCount {
      droppedByteCount += tail.count - Self.halfByteCount
      tail.removeFirst(tail.count - Self.halfByteCount)
    }
  }

  var text: String {
    let kept = tail.suffix(Self.halfByteCount)
    let dropped = droppedByteCount + tail.count - kept.count
    let beginning = String(decoding: head, as: UTF8.self)
    guard dropped > 0 else { return String(decoding: head + kept, as: UTF8.self) }
    return beginning + "\n[\(dropped) bytes left out]\n" + String(decoding: kept, as: UTF8.self)
  }
}
