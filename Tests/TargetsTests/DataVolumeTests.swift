import Crypto
import Glibc
import Testing

@testable import Targets

/// A place for each kind of volume, to be told the same.
enum Place: CaseIterable {
  case local, copy, execute

  func withVolume<R>(_ body: (any DataVolume, String) async throws -> R) async throws -> R {
    let cluster = try FakeCluster()
    let volume: any DataVolume =
      switch self {
      case .local: LocalVolume()
      case .copy: cluster.volume(.copy)
      case .execute: cluster.volume(.execute)
      }
    return try await body(volume, cluster.data)
  }
}

/// What every volume promises.
struct DataVolumeTests {
  @Test(arguments: Place.allCases, [0, 1, 65_536, 3_000_001])
  func `what is written is read back`(place: Place, byteCount: Int) async throws {
    try await place.withVolume { volume, data in
      var random = SplitMix(UInt64(byteCount))
      let bytes = random.bytes(byteCount)
      let path = "\(data)/file"
      let written = try await volume.write(bytes, to: path)
      #expect(written.byteCount == UInt64(byteCount))
      #expect(written.mode == 0o600)
      #expect(written.kind == .file)
      let (read, status) = try await volume.readAll(path)
      #expect(read == bytes)
      #expect(status == written)
      #expect(try await volume.status(of: path) == written)
      #expect(try await volume.contents(of: path, limit: byteCount) == bytes)
      #expect(
        try await volume.sha256(of: path, stallTimeout: .seconds(15))
          == SHA256.hash(data: bytes).hexadecimal)
    }
  }

  @Test(
    arguments: Place.allCases,
    ["plain", "with blank", "a:b", "quote'\"`$(date)`", "line\nbreak", "-n", "ünï", "*?[x]", ".x"])
  func `any name works`(place: Place, name: String) async throws {
    try await place.withVolume { volume, data in
      try await volume.makeDirectory("\(data)/\(name).d", ownership: nil)
      #expect(try await volume.list("\(data)/\(name).d") == [])
      let path = "\(data)/\(name).d/\(name)"
      try await volume.write(Array("content".utf8), to: path)
      #expect(try await volume.list("\(data)/\(name).d") == [name])
      #expect(try await volume.readAll(path).0 == Array("content".utf8))
      #expect(try await volume.contents(of: path, limit: 7) == Array("content".utf8))
      try await volume.link(path, to: path + ".2")
      try await volume.rename(path + ".2", to: path + ".3")
      let (one, other) = (
        try await volume.status(of: path), try await volume.status(of: path + ".3")
      )
      #expect(one == other)
      try await volume.remove(path)
      try await volume.remove(path + ".3")
      try await volume.removeDirectory("\(data)/\(name).d")
      #expect(try await volume.list("\(data)/\(name).d") == nil)
    }
  }

  @Test(arguments: Place.allCases)
  func `what is not there is nil or fileNotFound`(place: Place) async throws {
    try await place.withVolume { volume, data in
      let path = "\(data)/none"
      let missing = TargetError.fileNotFound(path: path)
      #expect(try await volume.status(of: path) == nil)
      #expect(try await volume.status(of: path + "/below") == nil)
      #expect(try await volume.contents(of: path, limit: 9) == nil)
      #expect(try await volume.list(path) == nil)
      try await volume.remove(path)
      try await volume.removeDirectory(path)
      await #expect(throws: missing) { try await volume.readAll(path) }
      await #expect(throws: missing) {
        try await volume.sha256(of: path, stallTimeout: .seconds(9))
      }
      await #expect(throws: missing) { try await volume.rename(path, to: "\(data)/other") }
      await #expect(throws: missing) { try await volume.link(path, to: "\(data)/other") }
      await #expect(throws: missing) { try await volume.freeByteCount(at: path) }
      await #expect(throws: TargetError.fileNotFound(path: path + "/x")) {
        try await volume.write([1], to: path + "/x")
      }
    }
  }

  @Test(arguments: Place.allCases)
  func `what is there is never overwritten, and nothing moves into a directory`(
    place: Place
  ) async throws {
    try await place.withVolume { volume, data in
      let (one, two, directory) = ("\(data)/one", "\(data)/two", "\(data)/directory")
      try await volume.write([1], to: one)
      try await volume.write([2], to: two)
      try await volume.makeDirectory(directory, ownership: nil)
      await #expect(throws: TargetError.fileExists(path: one)) {
        try await volume.write([3], to: one)
      }
      await #expect(throws: TargetError.fileExists(path: two)) {
        try await volume.link(one, to: two)
      }
      await #expect(throws: TargetError.fileExists(path: directory)) {
        try await volume.rename(one, to: directory)
      }
      await #expect(throws: TargetError.fileExists(path: directory)) {
        try await volume.link(one, to: directory)
      }
      await #expect(throws: TargetError.fileExists(path: directory)) {
        try await volume.makeDirectory(directory, ownership: nil)
      }
      #expect(try await volume.contents(of: one, limit: 9) == [1])
      #expect(try await volume.contents(of: two, limit: 9) == [2])
      #expect(try await volume.list(directory) == [])
      try await volume.rename(one, to: two)
      #expect(try await volume.contents(of: two, limit: 9) == [1])
      #expect(try await volume.list(data) == ["directory", "two"])
    }
  }

  @Test(arguments: Place.allCases)
  func `only regular files are read`(place: Place) async throws {
    try await place.withVolume { volume, data in
      try await volume.makeDirectory("\(data)/directory", ownership: nil)
      try await volume.write([1], to: "\(data)/file")
      #expect(unsafe symlink("\(data)/file", "\(data)/symbolic") == 0)
      #expect(unsafe mkfifo("\(data)/pipe", 0o600) == 0)
      #expect(try await volume.status(of: "\(data)/symbolic")?.kind == .symbolicLink)
      #expect(try await volume.status(of: "\(data)/directory")?.kind == .directory)
      #expect(try await volume.status(of: "\(data)/pipe")?.kind == .other)
      for path in ["\(data)/directory", "\(data)/symbolic", "\(data)/pipe"] {
        let error = TargetError.notRegularFile(path: path)
        await #expect(throws: error) { try await volume.readAll(path) }
        await #expect(throws: error) {
          try await volume.sha256(of: path, stallTimeout: .seconds(9))
        }
      }
      // Configuration that Kubernetes mounts consists of links.
      #expect(try await volume.contents(of: "\(data)/symbolic", limit: 9) == [1])
      for path in ["\(data)/directory", "\(data)/pipe"] {
        await #expect(throws: TargetError.notRegularFile(path: path)) {
          try await volume.contents(of: path, limit: 9)
        }
      }
      await #expect(throws: TargetError.self) { try await volume.removeDirectory(data) }
      await #expect(throws: TargetError.self) { try await volume.remove("\(data)/directory") }
    }
  }

  @Test(arguments: Place.allCases)
  func `limits hold and paths are absolute`(place: Place) async throws {
    try await place.withVolume { volume, data in
      let path = "\(data)/file"
      try await volume.write([1, 2, 3], to: path)
      #expect(try await volume.contents(of: path, limit: 3) == [1, 2, 3])
      await #expect(throws: TargetError.tooLong(what: path, limit: 2)) {
        try await volume.contents(of: path, limit: 2)
      }
      for bad in ["", "file", "./file"] {
        await #expect(throws: TargetError.io(path: bad, message: "not an absolute path")) {
          try await volume.status(of: bad)
        }
        await #expect(throws: TargetError.self) { try await volume.rename(path, to: bad) }
        await #expect(throws: TargetError.self) { try await volume.write([1], to: bad) }
      }
      await #expect(throws: TargetError.self) { try await volume.status(of: "\(path)\0x") }
      let free = try await volume.freeByteCount(at: data)
      #expect(free > 0)
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root gives files away"), arguments: Place.allCases)
  func `root gives a file the ownership that is asked for`(place: Place) async throws {
    try await place.withVolume { volume, data in
      let ownership = FileOwnership(userID: 1001, groupID: 7, mode: 0o640)
      let status = try await volume.write([1], to: "\(data)/file", ownership: ownership)
      #expect(status.ownership == ownership)
      try await volume.makeDirectory("\(data)/directory", ownership: ownership)
      let directory = try await volume.status(of: "\(data)/directory")
      #expect(directory?.ownership == ownership)
    }
  }

  @Test(arguments: Place.allCases)
  func `a source that fails leaves no file`(place: Place) async throws {
    struct Broken: Error {}
    try await place.withVolume { volume, data in
      let source = PieceSource([UInt8](repeating: 1, count: 100_000), pieceByteCount: 30_000)
      await #expect(throws: Broken.self) {
        try await volume.write("\(data)/x", ownership: nil, stallTimeout: .seconds(15)) {
          guard let piece = source.next(), piece.count == 30_000 else { throw Broken() }
          return piece
        }
      }
      let names = try await volume.list(data)
      #expect(names == [])
    }
  }

  @Test(arguments: Place.allCases)
  func `a file that is replaced or grows while it is read is noticed`(place: Place) async throws {
    try await place.withVolume { volume, data in
      let path = "\(data)/file"
      let local = LocalVolume()
      try await volume.write([UInt8](repeating: 1, count: 3 << 20), to: path)
      try await volume.write([UInt8](repeating: 2, count: 3 << 20), to: path + ".new")
      await #expect(throws: TargetError.changedWhileReading(path: path)) {
        try await volume.read(path, stallTimeout: .seconds(15)) { _ in
          guard try await local.status(of: path + ".new") != nil else { return }
          try await local.rename(path + ".new", to: path)
        }
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root mounts"), arguments: Place.allCases)
  func `a full volume is noSpace, and nothing is left there`(place: Place) async throws {
    try await place.withVolume { volume, data in
      let isMounted = unsafe mount("none", data, "tmpfs", 0, "size=1m") == 0
      guard isMounted else { return }
      defer { unsafe umount(data) }
      await #expect(throws: TargetError.noSpace(path: "\(data)/file")) {
        try await volume.write([UInt8](repeating: 1, count: 3 << 20), to: "\(data)/file")
      }
      let names = try await volume.list(data)
      #expect(names == [])
    }
  }
}
