import Files
import FoundationEssentials
import TestSupport
import Testing

@testable import ArchiveStore

struct ArchiveDirectoryTests {
  @Test func `a missing last component is made for its owner alone`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path + "/backups")
      try directory.make()
      #expect(try FileTree.status(of: directory.path)?.mode == 0o700)
      try directory.make()
    }
  }

  @Test func `a missing parent is an error unless it may be made too`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path + "/a/b")
      #expect(throws: DirectoryError.parentMissing(directory: directory.path)) {
        try directory.make()
      }
      try directory.make(makingParent: true)
      #expect(try FileTree.status(of: directory.path)?.kind == .directory)
    }
  }

  @Test func `a file in its place is an error`() async throws {
    try await withTemporaryDirectory { path in
      _ = try OpenFile(creating: path + "/file")
      #expect(throws: DirectoryError.notADirectory(directory: path + "/file")) {
        try ArchiveDirectory(path: path + "/file").make()
      }
    }
  }

  @Test func `publishing gives three files that only their owner can read`() async throws {
    try await withTemporaryDirectory { path in
      let lock = try ArchiveDirectory(path: path).lock(holder: "test")
      try Sample.publish(in: lock)
      let names = try FileTree.names(in: path).sorted()
      #expect(
        names == [
          ".raibid-backup.lock", "redis-dump-20261123T020000Z.json",
          "redis-dump-20261123T020000Z.rdb.gz", "redis-dump-20261123T020000Z.rdb.gz.sha256",
        ])
      for name in names { #expect(try FileTree.status(of: path + "/" + name)?.mode == 0o600) }
    }
  }

  @Test func `a second archive of the same second gets its own name`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      for _ in 1...3 { try Sample.publish(in: lock) }
      #expect(
        try directory.archives().map { $0.name?.description } == [
          "redis-dump-20261123T020000Z-3", "redis-dump-20261123T020000Z-2",
          "redis-dump-20261123T020000Z",
        ])
    }
  }

  @Test func `what is made of many archives comes newest first, and nothing of what is left out`()
    async throws
  {
    try await withTemporaryDirectory { path in
      let names = (0..<500).map { ArchiveName(date: Sample.second - Double($0)) }
      for name in names.shuffled() { _ = try OpenFile(creating: path + "/" + name.archiveFile) }
      try FileTree.makeDirectory(path + "/redis-dump-20300101T000000Z.rdb.gz")
      let chosen = Set(names.enumerated().filter { $0.offset % 3 == 0 }.map(\.element))
      let found = try ArchiveDirectory(path: path).archives { entry in
        entry.name.flatMap { chosen.contains($0) ? $0 : nil }
      }
      #expect(found == names.filter(chosen.contains))
      #expect(throws: CancellationError.self) {
        try ArchiveDirectory(path: path).archives { entry -> ArchiveName? in
          if entry.name == names[400] { throw CancellationError() }
          return entry.name
        }
      }
    }
  }

  @Test func `publishing replaces nothing and leaves nothing when a name is taken`() async throws {
    try await withTemporaryDirectory { path in
      let lock = try ArchiveDirectory(path: path).lock(holder: "test")
      let pending = try lock.begin(at: Sample.second)
      try pending.write([1])
      try pending.seal()
      let taken = path + "/" + pending.name.manifestFile
      try OpenFile(creating: taken).write([9])
      #expect(throws: FileError.self) {
        try pending.publish(Sample.manifest(of: pending.name, bytes: 1))
      }
      try pending.discard()
      #expect(
        try FileTree.names(in: path).sorted() == [".raibid-backup.lock", pending.name.manifestFile])
      #expect(try FileTree.contents(of: taken, limit: 10) == [9])
    }
  }

  @Test func `a locked directory says who holds it`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "pid 1, create")
      #expect(throws: DirectoryError.locked(directory: path, holder: "pid 1, create")) {
        try directory.lock(holder: "other")
      }
      withExtendedLifetime(lock) {}
    }
  }

  @Test func `locking sweeps unpublished files of ours and nothing else`() async throws {
    try await withTemporaryDirectory { path in
      let kept = [
        "notes.part", "redis-dump-20261123T020000Z.rdb.gz", "redis-dump-x.rdb.gz.part",
        "redis-dump-20261123T020000Z.txt.part",
      ]
      let swept = [
        "redis-dump-20261123T020000Z.rdb.gz.part", "redis-dump-20261123T020000Z-2.json.part",
        "redis-dump-20261123T020000Z.rdb.gz.sha256.part",
      ]
      for name in kept + swept { _ = try OpenFile(creating: path + "/" + name) }
      let lock = try ArchiveDirectory(path: path).lock(holder: "test")
      #expect(try FileTree.names(in: path).sorted() == (kept + [".raibid-backup.lock"]).sorted())
      withExtendedLifetime(lock) {}
    }
  }

  @Test func `the latest archive is the newest whole one that is no safety backup`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      try Sample.publish(in: lock)
      try Sample.publish(in: lock, at: Sample.second + 60, level: .damaged)
      try Sample.publish(in: lock, at: Sample.second + 120, tags: ["pre-restore": "x"])
      #expect(try directory.latest(of: nil).name == ArchiveName(date: Sample.second))
      #expect(try directory.archives().map(\.state) == [.verified, .damaged, .verified])
    }
  }

  @Test func `several Redises in a directory must be told apart`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      try Sample.publish(in: lock)
      try Sample.publish(in: lock, at: Sample.second + 60, namespace: "other")
      #expect(
        throws: DirectoryError.severalSources(
          directory: path,
          sources: ["other/raibid-redis-master-0", "raibid-redis/raibid-redis-master-0"])
      ) { try directory.latest(of: nil) }
      #expect(
        try directory.latest(of: "raibid-redis/raibid-redis-master-0").name
          == ArchiveName(date: Sample.second))
    }
  }

  @Test func `an archive without a manifest is listed as unverified and can be adopted`()
    async throws
  {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      try Sample.publish(in: lock)
      let name = ArchiveName(date: Sample.second)
      try FileTree.remove(path + "/" + name.manifestFile)
      try FileTree.remove(path + "/" + name.digestFile)
      let entry = try #require(try directory.archives().first)
      #expect(entry.state == .unverified)
      try lock.record(
        Manifest.Verification(level: .valid, verifiedAt: Sample.second), of: entry,
        adopting: Sample.manifest(of: name, bytes: 5))
      #expect(try directory.archives().first?.state == .verified)
      #expect(try directory.archives().first?.recordedDigest == String(repeating: "a", count: 64))
    }
  }

  @Test func `a file of another size than its manifest says is damaged`() async throws {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      let archive = try Sample.publish(in: lock)
      try OpenFile(appending: archive).write([0])
      #expect(try directory.archives().first?.state == .damaged)
    }
  }

  @Test func `an archive is found by path, by name, by any of its files, and as latest`()
    async throws
  {
    try await withTemporaryDirectory { path in
      let directory = ArchiveDirectory(path: path)
      let lock = try directory.lock(holder: "test")
      let archive = try Sample.publish(in: lock)
      let name = ArchiveName(date: Sample.second)
      for reference in [
        archive, name.description, name.archiveFile, name.digestFile, name.manifestFile, "latest",
      ] {
        #expect(try directory.find(reference, source: nil).path == archive, "\(reference)")
      }
      #expect(try ArchiveDirectory(path: "/").find(archive, source: nil).manifest != nil)
      #expect(throws: DirectoryError.archiveNotFound(reference: "redis-dump-20200101T000000Z")) {
        try directory.find("redis-dump-20200101T000000Z", source: nil)
      }
    }
  }
}
