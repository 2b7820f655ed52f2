import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// Archives of which something cannot be read or recorded: the others are proven, and nothing is lost.
@Suite struct UnreadableArchiveTests {
  /// Runs a body with archives of three nights, the newest first.
  private func withArchives<R: Sendable>(
    _ body: (_ tool: BackupTool, _ archives: String, _ names: [String]) async throws -> R
  ) async throws -> R {
    try await withRealServer(.primary) { server in
      try await server.cli("SET", "a", "1")
      return try await withTemporaryDirectory { path in
        let archives = path + "/archives"
        let tool = BackupTool(for: server, archives: archives)
        let created = try await tool("create")
        try #require(created.status == 0, "\(created)")
        let series = try ArchiveSeries(in: archives)
        let names = (1...3).map { ArchiveSeries.name(ago: Double($0) * 86_400) }
        for name in names { try series.add(name) }
        return try await body(tool, archives, names)
      }
    }
  }

  private struct Verified: Decodable {
    struct Archive: Decodable {
      struct Finding: Decodable {
        let kind: String
      }
      let path: String
      let verdict: String
      let findings: [Finding]
    }
    let archives: [Archive]
  }

  private func flip(_ path: String) throws {
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: URL(filePath: path))
  }

  @Test(.enabled(if: hasCompiler, "no C compiler to make a disk fail with"))
  func `what the disk has lost is damaged, and the last archive that can be read stays`()
    async throws
  {
    try await withArchives { tool, archives, names in
      let path = "\(archives)/\(names[0]).rdb.gz"
      try flip("\(archives)/\(names[1]).rdb.gz")
      var failing = tool
      failing.environment["LD_PRELOAD"] = try await library(thatFailsToRead: path)
      let verified = try await failing("verify", "--all", "--json")
      #expect(verified.status == 65, "\(verified)")
      let found = try verified.json(Verified.self).archives
      #expect(found.map(\.verdict) == ["damaged", "damaged", "valid"])
      #expect(found.first?.findings.map(\.kind) == ["unreadable"])
      let pruned = try await failing("prune", "--keep-last", "1")
      #expect(pruned.status == 0, "\(pruned)")
      #expect(try await tool("verify", "latest").output.contains(names[2]))
      // It may have been the cable.
      #expect(try await tool("verify", names[0]).status == 0)
      #expect(try await tool("verify", "latest").output.contains(names[0]))
    }
  }

  private func library(thatFailsToRead path: String) async throws -> String {
    let directory = try #require(path.split(separator: "/archives/").first)
    return try await preloadedLibrary(
      """
      #define _GNU_SOURCE
      #include <dlfcn.h>
      #include <errno.h>
      #include <stdio.h>
      #include <string.h>
      #include <unistd.h>
      ssize_t read(int fd, void *buffer, size_t count) {
        char link[64], name[4096];
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, name, sizeof name - 1);
        if (length > 0) {
          name[length] = 0;
          if (strcmp(name, "\(path)") == 0) { errno = EIO; return -1; }
        }
        ssize_t (*next)(int, void *, size_t) = dlsym(RTLD_NEXT, "read");
        return next(fd, buffer, count);
      }
      """, in: String(directory))
  }

  @Test(.enabled(if: getuid() == 0, "only root can give files away"))
  func `an archive of another user keeps the others from no verdict`() async throws {
    try await withArchives { tool, archives, names in
      try flip("\(archives)/\(names[2]).rdb.gz")
      try await shell("chmod 755 '\(archives)/..' && chown -R 65534:65534 '\(archives)'")
      let others = "'\(archives)/\(names[1]).rdb.gz'"
      try await shell("chown root:root \(others) && chmod 600 \(others)")
      let verified = try await tool.asNobody("verify", "--all")
      #expect(verified.status == 65, "\(verified)")
      #expect(verified.output.contains("\(names[0]).rdb.gz: valid"), "\(verified)")
      #expect(verified.output.contains("\(names[2]).rdb.gz: damaged"), "\(verified)")
      #expect(
        verified.error
          == "raibid-backup: warning: cannot read \(archives)/\(names[1]).rdb.gz: permission denied\n"
      )
      try await shell("rm '\(archives)/\(names[2])'*")
      #expect(try await tool.asNobody("verify", "--all").status == 77)
    }
  }

  @Test(.enabled(if: getuid() == 0, "a tmpfs can be mounted by root only"))
  func `a verdict that cannot be recorded is told`() async throws {
    try await withArchives { tool, archives, names in
      try flip("\(archives)/\(names[0]).rdb.gz")
      try await shell(
        """
        cp -a '\(archives)' '\(archives).all' && mount -t tmpfs -o size=128k none '\(archives)' &&
        cp -a '\(archives).all/.' '\(archives)'; head -c 200k /dev/zero >'\(archives)/fill' || true
        """)
      do {
        let verified = try await tool("verify", "--all")
        #expect(verified.status == 65, "\(verified)")
        #expect(verified.output.contains("\(names[0]).rdb.gz: damaged"), "\(verified)")
        #expect(verified.output.contains("\(names[2]).rdb.gz: valid"), "\(verified)")
        #expect(verified.error.contains("warning: cannot record the verdict on "), "\(verified)")
        let good = try await tool("verify", names[2])
        #expect(good.status == 74 && good.output.contains("valid"), "\(good)")
      } catch {
        try await shell("umount '\(archives)'")
        throw error
      }
      try await shell("umount '\(archives)'")
    }
  }

  @Test(arguments: [
    (#""tags" : {"#, #""tags" : {"ticket" : 42"#), (#""pinned" : true"#, #""pinned" : "yes""#),
    (#""level" : "valid""#, #""level" : "splendid""#),
  ])
  func `a manifest that somebody has mistyped is kept, and so is what it says`(
    text: String, mistyped: String
  ) async throws {
    try await withArchives { tool, archives, names in
      #expect(try await tool("pin", names[2]).status == 0)
      let path = "\(archives)/\(names[2]).json"
      let whole = try String(contentsOfFile: path, encoding: .utf8)
      let edited = whole.replacing(text, with: mistyped)
      try #require(edited != whole)
      try Data(edited.utf8).write(to: URL(filePath: path))
      let verified = try await tool("verify", names[2], "--json")
      #expect(verified.status == 0, "\(verified)")
      #expect(
        try verified.json(Verified.self).archives.first?.findings.map(\.kind)
          == ["manifest_unreadable"])
      #expect(try await tool("prune", "--keep-last", "1").status == 0)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == edited)
      #expect(FileManager.default.fileExists(atPath: "\(archives)/\(names[2]).rdb.gz"))
    }
  }

  @Test func `an archive whose manifest cannot be read keeps nobody from the others`() async throws
  {
    try await withArchives { tool, archives, names in
      let manifests = names.map { "\(archives)/\($0).json" }
      try await shell("rm '\(manifests[1])'; ln -s '\(manifests[1])' '\(manifests[1])'")
      try await shell("rm '\(manifests[2])'; mkdir '\(manifests[2])'")
      for command in ["create", "list", "status"] {
        let outcome = try await tool.run([command])
        #expect(outcome.status == 0, "\(command): \(outcome)")
      }
      let verified = try await tool("verify", "--all")
      #expect(verified.status == 0, "\(verified)")
      #expect(verified.output.split(separator: "  manifest_unreadable: ").count == 3, "\(verified)")
    }
  }

  @Test(arguments: [
    #""bytes" : 9223372036854775807"#, #""crc64" : "0000000000000000""#, #""version" : 7"#,
  ])
  func `what a manifest says of the dump itself is compared`(wrong: String) async throws {
    try await withArchives { tool, archives, names in
      let path = "\(archives)/\(names[0]).json"
      let whole = try String(contentsOfFile: path, encoding: .utf8)
      let name = try #require(wrong.split(separator: " ").first)
      var parts = whole.components(separatedBy: "\"rdb\"")
      var lines = parts[1].split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
      let index = try #require(lines.firstIndex { $0.contains("\(name) :") })
      lines[index] = wrong + (lines[index].hasSuffix(",") ? "," : "")
      parts[1] = lines.joined(separator: "\n")
      try Data(parts.joined(separator: "\"rdb\"").utf8).write(to: URL(filePath: path))
      let verified = try await tool("verify", names[0], "--json")
      #expect(verified.status == 65, "\(verified)")
      #expect(
        try verified.json(Verified.self).archives.first?.findings.map(\.kind)
          == ["manifest_mismatch"])
    }
  }

  @Test(arguments: [nil, "", "garbage\n"])
  func `a digest file that says nothing is written anew`(text: String?) async throws {
    try await withArchives { tool, archives, names in
      let path = "\(archives)/\(names[0]).rdb.gz.sha256"
      let whole = try String(contentsOfFile: path, encoding: .utf8)
      try FileManager.default.removeItem(atPath: path)
      if let text { try Data(text.utf8).write(to: URL(filePath: path)) }
      #expect(try await tool("verify", names[0]).status == 0)
      #expect(try String(contentsOfFile: path, encoding: .utf8) == whole)
      try await shell("cd '\(archives)' && sha256sum -c --quiet '\(names[0]).rdb.gz.sha256'")
    }
  }

  @Test(.enabled(if: getuid() == 0, "only root can make a device"))
  func `a metrics file that is a device or a pipe stays one`() async throws {
    try await withArchives { tool, archives, _ in
      for (make, kind) in [("mknod '%' c 1 3", "character special file"), ("mkfifo '%'", "fifo")] {
        let path = archives + "/../" + kind.prefix(4)
        try await shell(make.replacing("%", with: path))
        let verified = try await tool("verify", "--metrics-file", path)
        #expect(verified.status == 0, "\(verified)")
        #expect(verified.error.contains("warning: cannot write the metrics to \(path): "))
        try await shell("[ \"$(stat -c %F '\(path)')\" = '\(kind)' ]")
      }
    }
  }
}
