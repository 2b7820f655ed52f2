import GzipMembers
import Synchronization
import Workers

/// Gives pieces one after the other, then nil.
final class Source: Sendable {
  private let pieces: Mutex<ArraySlice<[UInt8]>>

  init(_ pieces: [[UInt8]]) {
    self.pieces = Mutex(pieces[...])
  }

  func next() -> [UInt8]? {
    pieces.withLock { $0.popFirst() }
  }
}

/// Collects the pieces that it is given.
final class Sink: Sendable {
  private let collected = Mutex<[[UInt8]]>([])

  func append(_ piece: [UInt8]) {
    collected.withLock { $0.append(piece) }
  }

  var pieces: [[UInt8]] { collected.withLock { $0 } }
  var bytes: [UInt8] { pieces.together }
}

/// Compresses pieces, and checks what must hold every time.
func compress(_ pieces: [[UInt8]], level: Int = 6, threads: Int = 2) async throws -> [[UInt8]] {
  let source = Source(pieces)
  let tapped = Sink()
  let members = Sink()
  let result = try await compressMembers(
    level: level, on: Workers(threadCount: threads), from: { source.next() },
    tap: { tapped.append($0) }, deliver: { members.append($0) })
  let input = pieces.together
  try check(tapped.bytes == input, "the tap sees other bytes")
  try check(tapped.pieces.allSatisfy { (1...(1 << 20)).contains($0.count) }, "blocks of wrong size")
  let expected = GzipMembersResult(
    inputByteCount: UInt64(input.count), outputByteCount: UInt64(members.bytes.count),
    memberCount: max(1, (input.count + (1 << 20) - 1) >> 20))
  try check(result == expected, "\(result) is not \(expected)")
  try check(members.pieces.count == expected.memberCount, "a member is missing")
  return members.pieces
}

/// Decompresses pieces, and checks what must hold every time.
func decompress(_ pieces: [[UInt8]], threads: Int = 2) async throws -> [UInt8] {
  let source = Source(pieces)
  let tapped = Sink()
  let result = try await decompressMembers(
    on: Workers(threadCount: threads), from: { source.next() }, tap: { tapped.append($0) })
  let output = tapped.bytes
  try check(result.inputByteCount == UInt64(pieces.together.count), "\(result)")
  try check(result.outputByteCount == UInt64(output.count), "\(result)")
  try check(tapped.pieces.allSatisfy { (1...(1 << 20)).contains($0.count) }, "blocks of wrong size")
  return output
}

struct Broken: Error, CustomStringConvertible {
  let description: String
}

private func check(_ holds: Bool, _ description: @autoclosure () -> String) throws {
  if !holds { throw Broken(description: description()) }
}
