import Files
import TestSupport
import Testing

/// Files that are read past the system's copy in memory.
@Suite struct DiskReadingTests {
  @Test(arguments: [0, 1, 511, 4095, 4096, 4097, 262_143, 262_144, 262_145, 1_000_000, 1 << 20])
  func `the disk gives what was written, whatever the size`(byteCount: Int) async throws {
    try await withTemporaryDirectory { directory in
      var random = SplitMix(seed: UInt64(byteCount))
      let bytes = (0..<byteCount).map { _ in UInt8.random(in: 0...255, using: &random) }
      let writer = try OpenFile(creating: directory + "/file")
      try writer.write(bytes)
      try writer.sync()
      writer.dropCache()
      let file = try OpenFile(reading: directory + "/file", asksDisk: true)
      var found: [UInt8] = []
      while true {
        let piece = try file.read(upTo: 256 << 10)
        if piece.isEmpty { break }
        found += piece
      }
      #expect(found == bytes)
      #expect(try file.read(upTo: 10).isEmpty)
    }
  }

  @Test func `a file system without that way is read as any other`() async throws {
    // What the kernel makes up lies on no disk.
    let file = try OpenFile(reading: "/proc/self/status", asksDisk: true)
    #expect(try file.read(upTo: 1 << 20).starts(with: Array("Name:".utf8)))
  }
}
