import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// How a backup shares the machine with the server.
@Suite struct SharingTests {
  /// What the kernel tells of the worker threads of a process, and `ionice` of all.
  private struct Priority: Equatable {
    var nice: Set<String> = []
    var disk: Set<String> = []

    init(ofProcess processID: Int32) async throws {
      let tasks = "/proc/\(processID)/task"
      let threads = try FileManager.default.contentsOfDirectory(atPath: tasks)
      for thread in threads {
        // Nil for a thread that has just ended.
        let stat = FileManager.default.contents(atPath: "\(tasks)/\(thread)/stat") ?? Data()
        let text = String(decoding: stat, as: UTF8.self)
        // proc_pid_stat(5): the nice value is 17 fields behind the name.
        guard let name = text.firstRange(of: "(worker) ") else { continue }
        let fields = text[name.upperBound...].split(separator: " ")
        try #require(fields.count > 16)
        nice.insert(String(fields[16]))
      }
      let result = try await Subprocess.run(
        .name("ionice"), arguments: Arguments(["-p"] + threads),
        output: .string(limit: 1 << 16))
      disk = Set(result.standardOutput.split(separator: "\n").map(String.init))
    }
  }

  @Test(arguments: [true, false])
  func `a backup of a local server leaves it the cores and the disk, unless told not to`(
    isNice: Bool
  ) async throws {
    let own = try await Priority(ofProcess: ProcessInfo.processInfo.processIdentifier)
    try await withRealServer(.primary, configuration: ["rdb-key-save-delay 20000"]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "200")
        let tool = BackupTool(for: server, archives: archives)
        let outcome = try await tool.run(["create"] + (isNice ? [] : ["--no-nice"])) { process in
          try await eventually("the server saves") {
            try await server.cli("INFO", "persistence").contains("rdb_bgsave_in_progress:1")
          }
          try await eventually("the workers run") {
            try await !Priority(ofProcess: process).nice.isEmpty
          }
          let priority = try await Priority(ofProcess: process)
          if isNice {
            #expect(priority.nice == ["10"])
            #expect(priority.disk == ["best-effort: prio 7"])
          } else {
            #expect(priority.nice != ["10"] && priority.nice.count == 1)
            #expect(priority.disk == own.disk)
          }
        }
        #expect(outcome.status == 0, "\(outcome)")
      }
    }
  }

  @Test func `a backup reads no faster than it is told`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("SET", "value", String(repeating: "x", count: 200))
        let tool = BackupTool(for: server, archives: archives)
        let clock = ContinuousClock()
        let start = clock.now
        let outcome = try await tool("create", "--limit-rate", "100", "--json")
        #expect(outcome.status == 0, "\(outcome)")
        let manifest = try outcome.json(Sizes.self)
        #expect(clock.now - start >= .seconds(Double(manifest.rdb.bytes) / 100))
      }
    }
  }

  private struct Sizes: Decodable {
    struct RDB: Decodable {
      let bytes: Int
    }

    let rdb: RDB
  }
}
