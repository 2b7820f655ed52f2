import FoundationEssentials
import Glibc
import Subprocess
import TestSupport
import Testing

@Suite struct LockTests {
  @Test func `readers never wait, and a writer that waits takes its turn`() async throws {
    try await withRealServer(.primary, configuration: ["rdb-key-save-delay 10000000"]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "100")
        let tool = BackupTool(for: server, archives: archives)
        let first = try await tool.run(["create"]) { processID in
          try await holds(processID, archives)
          for arguments in [["list"], ["status"], ["prune", "--keep-last", "1", "--dry-run"]] {
            let reader = try await tool.run(arguments)
            #expect([0, 79].contains(reader.status), "\(reader)")
          }
          #expect(try await tool("create").status == 75)
          // A limit that passes.
          let impatient = try await tool("prune", "--keep-last", "1", "--wait=1s")
          #expect(impatient.status == 75, "\(impatient)")
          #expect(
            impatient.error.contains("cause: pid \(processID), raibid-backup create, since 2"))

          let patient = try await tool.run(["prune", "--keep-last", "1", "--wait"]) { _ in
            // A holder that dies without a word never blocks the next one.
            kill(processID, SIGKILL)
          }
          #expect(patient.description == "exit 0\n")
        }
        #expect(first.status == 137, "\(first)")
        #expect(try names(in: archives) == [])
      }
    }
  }

  @Test(.enabled(if: hasCompiler, "no C compiler to take flock away with"))
  func `a file system without locks is refused with the reason`() async throws {
    try await withTemporaryDirectory { path in
      try FileManager.default.createDirectory(
        atPath: path + "/archives", withIntermediateDirectories: false)
      var tool = BackupTool(options: ["--directory", path + "/archives"], home: path)
      tool.environment["LD_PRELOAD"] = try await preloadedLibrary(
        "#include <errno.h>\nint flock(int fd, int op) { errno = ENOLCK; return -1; }\n", in: path)
      try await Complaint(
        status: 78, kind: "config",
        message: "cannot lock \(path)/archives: its file system has no locks",
        cause: "cannot lock \(path)/archives/.raibid-backup.lock: no locks available",
        hint: "df -T \(path)/archives"
      ).expect(of: tool, "prune", "--keep-last", "1")
    }
  }

  private func holds(_ processID: Int32, _ archives: String) async throws {
    try await eventually("the first run holds the lock") {
      let holder = FileManager.default.contents(atPath: archives + "/.raibid-backup.lock")
      return holder.map { String(decoding: $0, as: UTF8.self) }?
        .hasPrefix("pid \(processID), raibid-backup create, since 2") ?? false
    }
  }
}
