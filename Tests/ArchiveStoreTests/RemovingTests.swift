import Files
import FoundationEssentials
import TestSupport
import Testing

@testable import ArchiveStore

@Suite struct RemovingTests {
  @Test func `removing an archive takes its three files and nothing else`() async throws {
    try await withTemporaryDirectory { path in
      let lock = try ArchiveDirectory(path: path).lock(holder: "test")
      for night in 0..<3 { try Sample.publish(in: lock, at: Sample.second + Double(night)) }
      try OpenFile(creating: path + "/notes").write([1])
      try lock.remove([0, 2].map { ArchiveName(date: Sample.second + $0) })
      #expect(try lock.directory.archives().map(\.state) == [.verified])
      #expect(try FileTree.names(in: path).count == 5)
    }
  }

  @Test(arguments: 0..<4)
  func `a removal that was cut off anywhere is ended by the next run`(steps: Int) async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let name = ArchiveName(date: Sample.second)
      do {
        let lock = try directory.lock(holder: "test")
        try Sample.publish(in: lock)
        try Sample.publish(in: lock, at: Sample.second + 1)
      }
      // What `remove` does, one step after the other.
      let archive = path + "/" + name.archiveFile
      if steps > 0 { try FileTree.rename(archive, replacing: archive + ".part") }
      if steps > 1 { try FileTree.remove(path + "/" + name.manifestFile) }
      if steps > 2 { try FileTree.remove(path + "/" + name.digestFile) }
      #expect(try directory.archives().count == (steps == 0 ? 2 : 1))
      #expect(try Set(directory.archives().map(\.state)) == [.verified])
      withExtendedLifetime(try directory.lock(holder: "next")) {}
      #expect(try FileTree.names(in: path).count == (steps == 0 ? 7 : 4))
      #expect(try Set(directory.archives().map(\.state)) == [.verified])
    }
  }

  @Test func `an archive whose publishing was cut off is not taken for a removal`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      do {
        let lock = try directory.lock(holder: "test")
        try Sample.publish(in: lock)
      }
      let name = ArchiveName(date: Sample.second)
      // The archive has its name, and the one it was written under too; its manifest has not.
      try OpenFile(creating: path + "/" + name.archiveFile + ".part").write([1, 2, 3, 4, 5])
      try FileTree.rename(
        path + "/" + name.manifestFile, replacing: path + "/" + name.manifestFile + ".part")
      withExtendedLifetime(try directory.lock(holder: "next")) {}
      #expect(try directory.archives().map(\.state) == [.unverified])
      #expect(
        try FileTree.names(in: path).sorted()
          == [".raibid-backup.lock", name.archiveFile, name.digestFile])
    }
  }

  @Test func `a pin stands in the manifest, beside what this version does not know`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      try Sample.publish(in: lock)
      let manifest = path + "/" + ArchiveName(date: Sample.second).manifestFile
      var text = String(
        decoding: try #require(try FileTree.contents(of: manifest, limit: 1 << 20)), as: UTF8.self)
      text = text.replacing("\"pinned\"", with: "\"future\" : [1], \"pinned\"")
      try FileTree.remove(manifest)
      try OpenFile(creating: manifest).write(Array(text.utf8))
      for pinned in [true, true, false] {
        let entry = try #require(try directory.archives().first)
        #expect(try lock.pin(entry, pinned) == true)
        #expect(try directory.archives().first?.manifest?.pinned == pinned)
        #expect(try directory.archives().first?.state == .verified)
      }
      let written = try #require(try FileTree.contents(of: manifest, limit: 1 << 20))
      #expect(String(decoding: written, as: UTF8.self).contains("\"future\""))
    }
  }

  @Test func `a manifest of a newer version is not written, so not pinned`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      try Sample.publish(in: lock)
      let manifest = path + "/" + ArchiveName(date: Sample.second).manifestFile
      let text = String(
        decoding: try #require(try FileTree.contents(of: manifest, limit: 1 << 20)), as: UTF8.self
      ).replacing("\"schema_version\" : 1", with: "\"schema_version\" : 2")
      try FileTree.remove(manifest)
      try OpenFile(creating: manifest).write(Array(text.utf8))
      let entry = try #require(try directory.archives().first)
      #expect(try lock.pin(entry, true) == false)
      #expect(try FileTree.contents(of: manifest, limit: 1 << 20) == Array(text.utf8))
      #expect(RetentionCandidate(entry)?.isNewer == true)
    }
  }
}
