import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite struct DamagedArchiveTests {
  private struct Document: Decodable {
    struct Archive: Decodable {
      struct Finding: Decodable {
        let kind: String
        let message: String
      }

      let path: String
      let verdict: String
      let findings: [Finding]
    }

    let archives: [Archive]
  }

  /// Runs a body with a server, a tool for it, and the path of an archive of its queue.
  private func withArchive(
    _ body: (RealServer, BackupTool, _ archive: String) async throws -> Void
  ) async throws {
    try await withRealServer(.primary, configuration: ["appendonly yes"]) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server, jobs: 3000)
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        let archive = try #require(try names(in: archives).first { $0.hasSuffix(".gz") })
        try await body(server, tool, archives + "/" + archive)
      }
    }
  }

  @Test(arguments: Seed.fresh(1))
  func `a cut anywhere and a flipped bit anywhere are found`(seed: UInt64) async throws {
    try await withArchive { server, tool, archive in
      try await withTemporaryDirectory { files in
        var random = SplitMix(seed: seed)
        let whole = try Data(contentsOf: URL(filePath: archive))
        var paths: [String] = []
        func write(_ bytes: Data) throws {
          paths.append("\(files)/\(paths.count).rdb.gz")
          try bytes.write(to: URL(filePath: paths[paths.count - 1]))
        }
        let cuts = [0, 1, 2, 10, 17, 18, whole.count - 8, whole.count - 1]
        for cut in cuts + (0..<200).map({ _ in Int.random(in: 0..<whole.count, using: &random) }) {
          try write(whole.prefix(cut))
        }
        // Beside its archive's digest, so that the bits of gzip that mean nothing count as well.
        let flipped = whole.count
        let known = files + "/known"
        try FileManager.default.createDirectory(atPath: known, withIntermediateDirectories: false)
        let name = String(archive.split(separator: "/").last ?? "")
        let manifest = String(archive.dropLast(".rdb.gz".count)) + ".json"
        let stem = String(name.dropLast(".rdb.gz".count))
        for index in 0..<200 {
          var bytes = whole
          bytes[Int.random(in: 0..<flipped, using: &random)] ^=
            1
            << UInt8.random(
              in: 0...7, using: &random)
          let directory = "\(known)/\(index)"
          try FileManager.default.createDirectory(
            atPath: directory, withIntermediateDirectories: false)
          try bytes.write(to: URL(filePath: "\(directory)/\(name)"))
          try FileManager.default.copyItem(
            atPath: archive + ".sha256", toPath: "\(directory)/\(name).sha256")
          try FileManager.default.copyItem(atPath: manifest, toPath: "\(directory)/\(stem).json")
          paths.append("\(directory)/\(name)")
        }
        let outcome = try await tool.run(["verify", "--json"] + paths, plain: true)
        #expect(outcome.status == 65)
        #expect(outcome.error == "")
        let document = try outcome.json(Document.self)
        #expect(document.archives.map(\.path) == paths)
        for archive in document.archives {
          #expect(
            archive.verdict == "damaged" && !archive.findings.isEmpty, "\(archive.path) \(seed)")
        }
      }
    }
  }

  @Test(arguments: Seed.fresh(4))
  func `a damaged archive is not restored, and the server not touched`(seed: UInt64) async throws {
    try await withArchive { server, tool, archive in
      var random = SplitMix(seed: seed)
      let whole = try Data(contentsOf: URL(filePath: archive))
      let before = try await Queue.picture(server)
      let files = try tree(server.directory)
      try whole.prefix(Int.random(in: 1..<whole.count, using: &random))
        .write(to: URL(filePath: archive))
      let outcome = try await tool(
        "restore", archive, "--yes", "--restart-command", server.startCommand)
      #expect(outcome.status == 65, "\(outcome) \(seed)")
      let lines = outcome.error.split(separator: "\n").map(String.init)
      #expect(lines.count == 3)
      #expect(
        lines[0] == "raibid-backup: cannot restore \(archive): it is damaged; nothing was changed")
      #expect(lines[1].hasPrefix("cause: "))
      let directory = archive.split(separator: "/").dropLast().joined(separator: "/")
      #expect(lines[2] == "hint: raibid-backup list --directory /\(directory)")
      #expect(try await Queue.picture(server) == before)
      #expect(try tree(server.directory) == files)
      // The one that was verified is gone; there is nothing to call the latest.
      try await Complaint(
        status: 66, kind: "not_found",
        message: "cannot find the latest archive: there is no verified one in /\(directory)",
        hint: "raibid-backup list --directory /\(directory)"
      ).expect(of: tool, "verify", "latest")
    }
  }

  @Test func `what is no archive at all gets a verdict, or an answer that says what it is`()
    async throws
  {
    try await withTemporaryDirectory { files in
      let tool = BackupTool(options: [], home: files)
      try Data().write(to: URL(filePath: files + "/empty"))
      try Data("just text\n".utf8).write(to: URL(filePath: files + "/text"))
      try await shell("gzip -k '\(files)/text'")
      try await shell("mkfifo '\(files)/fifo'")
      let verdicts = try await tool(
        "verify", "--json", files + "/empty", files + "/text", files + "/text.gz")
      #expect(verdicts.status == 65)
      #expect(
        try verdicts.json(Document.self).archives.map(\.verdict)
          == ["damaged", "damaged", "damaged"])
      let text = try await tool("verify", files + "/empty")
      #expect(text.status == 65 && text.error == "")
      #expect(
        text.output == "\(files)/empty: damaged\n  truncated: the file ends too early at byte 0\n")

      for path in [files + "/fifo", "/dev/zero", "/dev/null"] {
        let complaint = Complaint(
          status: 66, kind: "not_found", message: "cannot read \(path): it is not a file",
          hint: "ls -ld \(path)")
        try await complaint.expect(of: tool, "verify", path)
        try await complaint.expect(
          of: tool, "restore", path, "--yes", "--target", "local", "--restart-command", "true")
      }
      try await Complaint(
        status: 66, kind: "not_found",
        message: "cannot read \(files): it is a directory, not an archive",
        hint: "raibid-backup list --directory \(files)"
      ).expect(of: tool, "verify", files)
      try await Complaint(
        status: 66, kind: "not_found",
        message: "cannot find \(files)/none: there is no such archive and no such file",
        hint: "raibid-backup list"
      ).expect(of: tool, "verify", files + "/none")
      try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: files)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0], ofItemAtPath: files + "/text")
      try await Complaint(
        status: 77, kind: "denied", message: "cannot read \(files)/text: permission denied",
        hint: "ls -l \(files)/text"
      ).expect(of: tool.asNobody, "verify", files + "/text")
    }
  }

  @Test func `a dump that gzip compressed and a plain dump work like archives`() async throws {
    try await withArchive { server, tool, _ in
      let before = try await Queue.picture(server)
      try await withTemporaryDirectory { files in
        #expect(try await server.cli("SAVE") == "OK")
        try await shell(
          "cp '\(server.directory)/dump.rdb' '\(files)/by hand.rdb' && gzip -k '\(files)/by hand.rdb'"
        )
        for path in [files + "/by hand.rdb", files + "/by hand.rdb.gz"] {
          let verified = try await tool("verify", path)
          #expect(verified.status == 0, "\(verified)")
          #expect(verified.output.hasPrefix("\(path): valid, "))
          try await Queue.wreck(server)
          let restored = try await tool(
            "restore", path, "--yes", "--restart-command", server.startCommand)
          #expect(restored.status == 0, "\(restored)")
          #expect(try await Queue.picture(server) == before)
        }
        #expect(try names(in: files) == ["by hand.rdb", "by hand.rdb.gz"])
      }
    }
  }

  @Test func `a dump that the server is too old for is refused with nothing touched`() async throws
  {
    let newer = ServerVersion.available.first { !$0.isValkey && $0.isAtLeast(7, 4) }
    let older = ServerVersion.available.first { $0.isAtLeast(7, 0) && !$0.isAtLeast(7, 2) }
    guard let newer, let older else { return }
    try await withTemporaryDirectory { archives in
      try await withRealServer(newer) { server in
        try await Queue.fill(server)
        #expect(try await BackupTool(for: server, archives: archives)("create").status == 0)
      }
      try await withRealServer(older, configuration: ["appendonly yes"]) { server in
        try await server.cli("SET", "present", "1")
        let files = try tree(server.directory)
        let tool = BackupTool(for: server, archives: archives)
        let archive = try #require(try names(in: archives).first { $0.hasSuffix(".gz") })
        let outcome = try await tool(
          "restore", archive, "--yes", "--from-other-source", "--restart-command",
          server.startCommand)
        #expect(outcome.status == 76, "\(outcome)")
        #expect(
          outcome.error.hasPrefix("raibid-backup: cannot restore 127.0.0.1:\(server.port): redis "))
        #expect(outcome.error.contains(" cannot load "))
        #expect(
          outcome.error.hasSuffix(
            "; nothing was changed\nhint: redis-cli -h 127.0.0.1 -p \(server.port) INFO server\n"))
        #expect(try tree(server.directory) == files)
        #expect(try await server.cli("GET", "present") == "1")
        #expect(try names(in: archives).count == 3)

        try await Complaint(
          status: 78, kind: "config",
          message: "cannot restore 127.0.0.1:\(server.port): the archive is of "
            + "127.0.0.1:\(try source(archives)), not of 127.0.0.1:\(server.port); nothing was changed",
          hint: "AGAIN --from-other-source"
        ).expect(of: tool, "restore", archive, "--yes", "--restart-command", "true")
      }
    }
  }

  private func source(_ archives: String) throws -> Int {
    struct Manifest: Decodable {
      struct Source: Decodable {
        let port: Int
      }

      let source: Source
    }
    let name = try #require(try names(in: archives).first { $0.hasSuffix(".json") })
    let data = try Data(contentsOf: URL(filePath: archives + "/" + name))
    return try JSONDecoder().decode(Manifest.self, from: data).source.port
  }

  /// Names and contents of all files of a server, but for its log.
  private func tree(_ directory: String) throws -> [String: Data?] {
    var files: [String: Data?] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: directory)
    where !path.hasSuffix(".log") {
      files[path] = FileManager.default.contents(atPath: directory + "/" + path)
    }
    return files
  }
}
