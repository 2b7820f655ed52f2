import FoundationEssentials
import Glibc
import Subprocess
import TestSupport
import Testing

@Suite struct DirectoryFaultTests {
  @Test func `a directory that cannot be made or written is named`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { parent in
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: parent)
        func tool(_ directory: String) -> BackupTool {
          BackupTool(for: server, archives: directory)
        }
        try await Complaint(
          status: 73, kind: "cannot_create",
          message: "cannot make \(parent)/a/b: the directory above it does not exist",
          hint: "mkdir -p \(parent)/a/b"
        ).expect(of: tool(parent + "/a/b"), "create")

        try Data().write(to: URL(filePath: parent + "/file"))
        try await Complaint(
          status: 73, kind: "cannot_create",
          message: "cannot use \(parent)/file: it is not a directory", hint: "ls -ld \(parent)/file"
        ).expect(of: tool(parent + "/file"), "create")

        try await Complaint(
          status: 73, kind: "cannot_create",
          message: "cannot make \(parent)/new: permission denied", hint: "ls -ld \(parent)"
        ).expect(of: tool(parent + "/new").asNobody, "create")

        let readable = parent + "/readable"
        try FileManager.default.createDirectory(
          atPath: readable, withIntermediateDirectories: false,
          attributes: [.posixPermissions: 0o555])
        try await Complaint(
          status: 73, kind: "cannot_create",
          message: "cannot write to \(readable): permission denied", hint: "ls -ld \(readable)"
        ).expect(of: tool(readable).asNobody, "create")
        #expect(try names(in: parent) == ["file", "readable"])
        #expect(try names(in: readable) == [])
      }
    }
  }

  @Test(.enabled(if: getuid() == 0, "a tmpfs can be mounted by root only"))
  func `a full disk leaves nothing of the archive, and the server as it was`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        // What does not compress: 4 MB.
        try await server.cli("DEBUG", "POPULATE", "10", "zeros", "10")
        for key in 0..<8 {
          var random = SplitMix(seed: UInt64(key))
          let value = Data(random.bytes(count: 500_000)).base64EncodedString()
          try await server.cli("-x", "SET", "noise:\(key)", input: value)
        }
        try await shell("mount -t tmpfs -o size=1m none '\(archives)'")
        do {
          let tool = BackupTool(for: server, archives: archives)
          let outcome = try await tool("create")
          #expect(outcome.status == 74, "\(outcome)")
          let lines = outcome.error.split(separator: "\n").map(String.init)
          #expect(lines.count == 2)
          #expect(lines[0].hasPrefix("raibid-backup: cannot write \(archives)/redis-dump-"))
          #expect(lines[0].hasSuffix(".rdb.gz.part: no space left on device"))
          #expect(lines[1] == "hint: df -h \(archives)")
          #expect(try names(in: archives) == [])
          #expect(try await server.cli("DBSIZE") == "18")
        } catch {
          try await shell("umount '\(archives)'")
          throw error
        }
        try await shell("umount '\(archives)'")
      }
    }
  }

  @Test(.enabled(if: getuid() == 0, "a tmpfs can be mounted by root only"))
  func `a full disk of the server fails the save`() async throws {
    let version = try ServerVersion.primary
    let configuration = version.isAtLeast(7, 0) ? ["enable-protected-configs local"] : []
    try await withRealServer(version, configuration: configuration) { server in
      try await withTemporaryDirectory { archives in
        try await withTemporaryDirectory { small in
          try await server.cli("DEBUG", "POPULATE", "20000", "key", "100")
          try await shell("mount -t tmpfs -o size=64k none '\(small)'")
          do {
            #expect(try await server.cli("CONFIG", "SET", "dir", small) == "OK")
            let outcome = try await BackupTool(for: server, archives: archives)("create")
            #expect(outcome.status == 69, "\(outcome)")
            #expect(outcome.error.contains("cause: rdb_last_bgsave_status:err;"))
            #expect(try names(in: archives) == [])
            #expect(try await server.cli("CONFIG", "SET", "dir", server.directory) == "OK")
          } catch {
            try await shell("umount '\(small)'")
            throw error
          }
          try await shell("umount '\(small)'")
        }
      }
    }
  }

  @Test func `another run is told who holds the directory`() async throws {
    try await withRealServer(.primary, configuration: ["rdb-key-save-delay 10000000"]) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "100")
        let tool = BackupTool(for: server, archives: archives)
        let first = try await tool.run(["create"]) { processID in
          try await eventually("the first run holds the lock") {
            let holder = FileManager.default.contents(atPath: archives + "/.raibid-backup.lock")
            return holder.map { String(decoding: $0, as: UTF8.self) }?
              .hasPrefix("pid \(processID), raibid-backup create, since 2") ?? false
          }
          let holder = try String(
            contentsOfFile: archives + "/.raibid-backup.lock", encoding: .utf8)
          try await Complaint(
            status: 75, kind: "busy", message: "cannot lock \(archives): another run holds it",
            cause: holder, hint: "ps -f -p \(processID)"
          ).expect(of: tool, "create")
          kill(processID, SIGTERM)
        }
        #expect(first.status == 143, "\(first)")
        #expect(try names(in: archives) == [])
      }
    }
  }
}
