import FoundationEssentials
import Glibc
import Testing

@testable import Targets

@Suite struct ReplacementWatchTests {
  @Test func `a file that is put in the place of another one is counted, each time`() async throws {
    try await Scratch.withFolder { folder in
      let dump = folder + "/dump.rdb"
      let watch = try ReplacementWatch(dump)
      #expect(throws: TargetError.notReplaced(path: dump)) { try watch.requireOne() }
      try put(folder + "/temp-1.rdb", at: dump)
      try watch.requireOne()
      try put(folder + "/temp-2.rdb", at: folder + "/dump.rdb.old")
      try Data().write(to: URL(filePath: dump))
      try watch.requireOne()
      // The same name twice: the kernel must not tell it as one.
      try put(folder + "/temp-1.rdb", at: dump)
      #expect(throws: TargetError.replacedOften(path: dump)) { try watch.requireOne() }
      try watch.reset()
      #expect(throws: TargetError.notReplaced(path: dump)) { try watch.requireOne() }
      try put(folder + "/temp-1.rdb", at: dump)
      try put(folder + "/temp-1.rdb", at: dump)
      #expect(throws: TargetError.replacedOften(path: dump)) { try watch.requireOne() }
    }
  }

  @Test func `a directory that is not there cannot be watched`() {
    #expect(throws: TargetError.fileNotFound(path: "/nowhere")) {
      _ = try ReplacementWatch("/nowhere/dump.rdb")
    }
  }

  private func put(_ path: String, at newPath: String) throws {
    try Data().write(to: URL(filePath: path))
    guard unsafe rename(path, newPath) == 0 else { throw TargetError.fileNotFound(path: path) }
  }
}
