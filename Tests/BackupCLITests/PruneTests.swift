import FoundationEssentials
import Glibc
import TestSupport
import Testing

@Suite struct PruneTests {
  private static let day = 86400.0

  private struct Document: Decodable, Equatable {
    struct Kept: Decodable, Equatable {
      let name: String
      let reasons: [String]
    }
    struct Removed: Decodable, Equatable {
      let name: String
      let reason: String
    }
    let kept: [Kept]
    let removed: [Removed]
  }

  @Test func `prune removes what the policy does not keep, and tells why`() async throws {
    try await withSeries { tool, series in
      let nights = (0..<5).map { ArchiveSeries.name(ago: Double($0) * Self.day + 100) }
      for name in nights { try series.add(name) }
      try series.add(
        ArchiveSeries.name(ago: 40 * Self.day),
        [("\"tags\" : {", "\"tags\" : {\"pre-restore\":\"x\"")])
      let before = try names(in: series.directory)
      #expect(try await tool("pin", nights[4]).output.hasSuffix("/\(nights[4]).rdb.gz: pinned\n"))

      let dryRun = try await tool("prune", "--keep-daily", "2", "--dry-run")
      #expect(dryRun.status == 0, "\(dryRun)")
      let lines = dryRun.output.split(separator: "\n").map { line in
        line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
      }
      #expect(
        lines[1].first == nights[0]
          && lines[1].suffix(4) == ["keep", "newest", "verified,", "daily"])
      #expect(lines[2].suffix(2) == ["keep", "daily"])
      #expect(lines[3].suffix(5) == ["remove", "no", "rule", "keeps", "it"])
      #expect(lines[5].suffix(2) == ["keep", "pinned"])
      #expect(lines[6].suffix(6) == ["remove", "before", "a", "restore,", "too", "old"])
      #expect(lines[7].prefix(6) == ["3", "kept,", "3", "would", "be", "removed,"])
      #expect(try names(in: series.directory) == before)

      let pruned = try await tool("prune", "--keep-daily", "2", "--json")
      #expect(pruned.status == 0 && pruned.error == "", "\(pruned)")
      let document = try pruned.json(Document.self)
      #expect(
        document.kept == [
          Document.Kept(name: nights[0], reasons: ["newest_verified", "daily"]),
          Document.Kept(name: nights[1], reasons: ["daily"]),
          Document.Kept(name: nights[4], reasons: ["pinned"]),
        ])
      #expect(document.removed.map(\.reason) == ["not_kept", "not_kept", "safety_expired"])
      #expect(try names(in: series.directory).count == 9)

      #expect(try await tool("unpin", nights[4]).status == 0)
      let silent = try await tool("prune", "--keep-daily", "2")
      #expect(silent.description == "exit 0\n")
      #expect(try names(in: series.directory).count == 6)
    }
  }

  @Test func `create --prune makes the backup first, and refuses a policy that keeps nothing`()
    async throws
  {
    try await withSeries { tool, series in
      for night in 1..<5 { try series.add(ArchiveSeries.name(ago: Double(night) * Self.day)) }
      let outcome = try await tool("create", "--prune", "--keep-last", "2")
      #expect(outcome.description == "exit 0\n")
      #expect(try names(in: series.directory).count == 6)
      for arguments in [["create", "--prune"], ["prune"], ["prune", "--keep-daily", "0"]] {
        let refused = try await tool.run(arguments)
        #expect(refused.status == 64)
        #expect(
          refused.error.hasPrefix("raibid-backup: cannot prune: nothing says what is to be kept\n"))
        #expect(refused.error.contains("--keep-daily 14 --keep-weekly 8 --keep-monthly 12"))
      }
      #expect(try names(in: series.directory).count == 6)
      let lone = try await tool("create", "--keep-last", "2")
      #expect(lone.status == 64)

      // What fails after it tells of it.
      try series.add(ArchiveSeries.name(ago: -3600))
      let hook = series.directory + "/hook"
      let late = try await tool(
        "create", "--prune", "--keep-last", "2", "--on-failure",
        "echo $RAIBID_BACKUP_ARCHIVE >\(hook)")
      #expect(late.status == 78, "\(late)")
      let archive = try String(contentsOfFile: hook, encoding: .utf8)
      #expect(archive.contains(".rdb.gz"))
      #expect(late.error.contains("; the backup itself was made: \(archive)"), "\(late)")
    }
  }

  @Test func `a directory or a Redis that there is not is told, and nothing is made`() async throws
  {
    try await withTemporaryDirectory { place in
      let tool = BackupTool(options: ["--directory", place + "/archives"], home: place)
      let missing = Complaint(
        status: 66, kind: "not_found",
        message: "cannot prune \(place)/archives: there is no such directory",
        hint: "ls -ld \(place)/archives")
      try await missing.expect(of: tool, "prune", "--keep-last", "1", "--dry-run")
      try await missing.expect(of: tool, "prune", "--keep-last", "1")
      #expect(try names(in: place) == [])
      try FileManager.default.createDirectory(
        atPath: place + "/archives", withIntermediateDirectories: false)
      #expect(try await tool("prune", "--keep-last", "1").description == "exit 0\n")
      try await Complaint(
        status: 66, kind: "not_found",
        message: "cannot prune \(place)/archives: it holds no archive of jobs/redis-0",
        hint: "raibid-backup list --directory \(place)/archives"
      ).expect(of: tool, "prune", "--keep-last", "1", "--source", "jobs/redis-0")
    }
  }

  @Test func `a date in the future stops pruning`() async throws {
    try await withSeries { tool, series in
      for night in 1..<5 { try series.add(ArchiveSeries.name(ago: Double(night) * Self.day)) }
      let future = ArchiveSeries.name(ago: -3600)
      try series.add(future)
      try await Complaint(
        status: 78, kind: "config",
        message: "cannot prune \(series.directory): \(future) is dated in the future; "
          + "nothing was removed",
        cause: "this host's clock is wrong, or was when that archive was made",
        hint: "date -u   # if this is right, that archive belongs into another directory"
      ).expect(of: tool, "prune", "--keep-last", "1")
      #expect(try await tool("list").output.contains("\(future)  in the future  "))
      #expect(try names(in: series.directory).count == 15)
    }
  }

  @Test func `a much smaller archive is reported and holds pruning back`() async throws {
    try await withSeries { tool, series in
      for night in 1..<8 {
        try series.add(
          ArchiveSeries.name(ago: Double(night) * Self.day),
          [("\"bytes\" : ", "\"was\" : 1, \"bytes\" : ")])
      }
      let small = ArchiveSeries.name(ago: 60)
      // The first count of keys in the document is that of all databases.
      try series.add(small, [("\"keys\" : ", "\"keys\" : 0, \"was\" : ")])
      let outcome = try await tool("prune", "--keep-last", "1")
      #expect(outcome.status == 0 && outcome.output == "")
      #expect(
        outcome.error.hasPrefix(
          "raibid-backup: warning: \(small) is much smaller than those before it ("))
      #expect(try names(in: series.directory).count == 24)
      #expect(try await tool("prune", "--keep-last", "1", "--shrink-limit", "0").error == "")
      #expect(try names(in: series.directory).count == 3)
    }
  }

  @Test(arguments: Seed.fresh(5))
  func `a kill in the middle of prune leaves only whole archives, and the next run ends it`(
    seed: UInt64
  ) async throws {
    try await withSeries { tool, series in
      var random = SplitMix(seed: seed)
      let count = 300
      for night in 0..<count {
        try series.add(ArchiveSeries.name(ago: Double(night) * Self.day + 9))
      }
      let goal = Int.random(in: 3..<(3 * count - 3), using: &random)
      let outcome = try await tool.run(["prune", "--keep-last", "1"]) { processID in
        // Killed when that many names are left, or when it has ended before.
        while try names(in: series.directory).filter({ !$0.hasSuffix(".part") }).count > goal,
          kill(processID, 0) == 0, try Self.isAlive(processID)
        {}
        kill(processID, SIGKILL)
      }
      #expect([0, 137].contains(outcome.status))
      let list = try await tool("list", "--json")
      let states = list.output.split(separator: "\n").filter { $0.contains("\"state\" :") }
      #expect(!states.isEmpty)
      #expect(states.allSatisfy { $0.contains("\"verified\"") })
      #expect(try await tool("prune", "--keep-last", "1").description == "exit 0\n")
      #expect(try names(in: series.directory).count == 3)
      #expect(try await tool("verify").status == 0)
    }
  }

  private static func isAlive(_ processID: Int32) throws -> Bool {
    guard let status = FileManager.default.contents(atPath: "/proc/\(processID)/stat") else {
      return false
    }
    return !String(decoding: status, as: UTF8.self).contains(") Z ")
  }

  /// Runs a body with a directory that has had one real archive, and the tool for it.
  private func withSeries(
    _ body: (BackupTool, ArchiveSeries) async throws -> Void
  ) async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        try await body(tool, ArchiveSeries(in: archives))
      }
    }
  }
}
