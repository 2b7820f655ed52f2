import FoundationEssentials
import Glibc
import TestSupport
import Testing

@testable import BackupCLI

@Suite struct HookTests {
  @Test func `commands learn how a run ended, and nothing secret`() async throws {
    try await withRealServer(.primary, password: "s3cret") { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "a", "1")
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--on-success", "env; echo good", "--on-failure", "env; exit 3"]
        let good = try await tool("create", "--json")
        #expect(good.status == 0, "\(good)")
        #expect(good.output.hasPrefix("{") && !good.description.contains("s3cret"))
        #expect(good.error.hasSuffix("good\n"))
        let archive = try names(in: archives).first { $0.hasSuffix(".rdb.gz") } ?? ""
        let facts = Self.facts(good)
        #expect(facts["ARCHIVE"] == archives + "/" + archive)
        #expect(facts["EXIT_CODE"] == "0" && facts["KIND"] == "" && facts["KEY_COUNT"] == "1")
        #expect(facts["REDIS"] == "127.0.0.1:\(server.port)")
        #expect(facts["SECONDS"].flatMap { Int($0) } != nil)
        // Else this program would take them for settings when a command runs it.
        let options = Set(try CommandTable().commands.flatMap(\.options).map(\.variable))
        #expect(options.isDisjoint(with: facts.keys.map { "RAIBID_BACKUP_" + $0 }))

        tool.environment["REDISCLI_AUTH"] = "wrong"
        let bad = try await tool("create")
        #expect(bad.status == 77, "\(bad)")
        #expect(
          bad.error.contains("raibid-backup: warning: the command of --on-failure ended with 3\n"))
        let failure = Self.facts(bad)
        #expect(failure["KIND"] == "denied" && failure["EXIT_CODE"] == "77")
        #expect(failure["ARCHIVE"] == "")
        #expect(failure["MESSAGE"]?.hasPrefix("cannot ") == true)
        #expect(failure["HINT"]?.isEmpty == false)
      }
    }
  }

  @Test func `a command has a limit, and its processes end with it`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let file = archives + "/child"
        // Nor does it help to turn a deaf ear.
        let slow =
          "(trap '' TERM; sleep 1000) & echo $! >\(file).part; mv \(file).part \(file); wait"
        let created = try await tool(
          "create", "--hook-timeout", "1s", "--on-success", slow)
        #expect(created.status == 0, "\(created)")
        #expect(
          created.error
            == "raibid-backup: warning: the command of --on-success was ended: it took longer than "
            + "1 s\n")
        #expect(try Self.hasEnded(file))

        // A signal ends the command, and the backup is made all the same.
        try FileManager.default.removeItem(atPath: file)
        let ended = try await tool.run(["create", "--on-success", slow]) { tool in
          try await eventually("the command runs") {
            FileManager.default.fileExists(atPath: file)
          }
          // Nobody else has to wait for it.
          #expect(try await BackupTool(for: server, archives: archives)("create").status == 0)
          kill(tool, SIGTERM)
        }
        #expect(ended.status == 0, "\(ended)")
        #expect(
          ended.error
            == "raibid-backup: warning: the command of --on-success was ended by a signal\n")
        #expect(try Self.hasEnded(file))
      }
    }
  }

  @Test func `a second signal ends the command too`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let file = archives + "/child"
        let ended = try await BackupTool(for: server, archives: archives).run([
          "create", "--on-success",
          "trap '' TERM; sleep 1000 & echo $! >\(file).part; mv \(file).part \(file); wait",
        ]) { tool in
          try await eventually("the command runs") {
            FileManager.default.fileExists(atPath: file)
          }
          kill(tool, SIGTERM)
          kill(tool, SIGINT)
        }
        #expect([130, 143].contains(ended.status), "\(ended)")
        try await eventually("the command has ended") { try Self.hasEnded(file) }
      }
    }
  }

  @Test func `a delay by chance ends at a signal, and nothing was begun`() async throws {
    try await withTemporaryDirectory { archives in
      let tool = BackupTool(
        options: ["--target", "local", "--port", "1", "--directory", archives], home: archives)
      let output = archives + "/told"
      let result = try await tool.run([
        "create", "--verbose", "--random-delay", "999999999s", "--on-failure", "touch \(output)",
      ]) { tool in
        // Chance makes the delay shorter than a minute once in ten million runs.
        try await eventually("the run waits") { Self.takesSignals(tool) }
        kill(tool, SIGTERM)
      }
      #expect(result.status == 143, "\(result)")
      #expect(result.error.hasPrefix("waiting for "))
      #expect(try names(in: archives) == [])
    }
  }

  /// What the environment of a command said of the run.
  private static func facts(_ outcome: BackupTool.Outcome) -> [String: String] {
    let prefix = "RAIBID_BACKUP_"
    return outcome.error.split(separator: "\n").filter { $0.hasPrefix(prefix) }
      .reduce(into: [:]) { facts, line in
        let parts = line.dropFirst(prefix.count)
          .split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        facts[String(parts[0])] = String(parts[1])
      }
  }

  /// Whether the process whose number stands in a file is gone.
  private static func hasEnded(_ file: String) throws -> Bool {
    let text = try String(contentsOfFile: file, encoding: .utf8)
    let processID = try #require(Int32(text.prefix { $0.isNumber }))
    guard let status = FileManager.default.contents(atPath: "/proc/\(processID)/stat") else {
      return true
    }
    // Nobody may have reaped it yet.
    return String(decoding: status, as: UTF8.self).contains(") Z ")
  }

  /// Whether the process handles its signals by now.
  private static func takesSignals(_ processID: Int32) -> Bool {
    let status = String(
      decoding: FileManager.default.contents(atPath: "/proc/\(processID)/status") ?? Data(),
      as: UTF8.self)
    let caught = status.split(separator: "\n").first { $0.hasPrefix("SigCgt:") } ?? ""
    let mask = UInt64(caught.split(separator: "\t").last ?? "", radix: 16) ?? 0
    return mask & 1 << UInt64(SIGTERM - 1) != 0
  }
}
