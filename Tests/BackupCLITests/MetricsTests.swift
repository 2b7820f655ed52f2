import FoundationEssentials
import Glibc
import Subprocess
import TestSupport
import Testing

@testable import BackupCLI

@Suite struct MetricsTests {
  @Test func `create writes figures that survive a failure`() async throws {
    let server = ServerVersion.available.first { $0.isAtLeast(7, 0) }
    try await withRealServer(try server ?? .primary) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        try await server.cli([], input: "XADD \"a\\\"b\\\\c\\nd\" * a b\nXADD \"\\xff\" * a b\n")
        let file = archives + "/backup.prom"
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--metrics-file", file]
        #expect(try await tool("create").description == "exit 0\n")
        let first = try Self.samples(file)
        let source = "source=\"127.0.0.1:\(server.port)\""
        #expect(first["last_exit_code{\(source)}"] == "0")
        #expect(first["keys{\(source)}"] == "12")
        #expect(first["archives{\(source),state=\"verified\"}"] == "1")
        #expect(
          first["stream_entries{\(source),database=\"0\",stream=\"raibid:jobs\"}"] == "498")
        #expect(
          first[
            "stream_pending{\(source),database=\"0\",stream=\"raibid:jobs\","
              + "group=\"raibid-workers\"}"] == "57")
        #expect(first["stream_entries{\(source),database=\"0\",stream=\"\\\\xff\"}"] == "1")
        #expect(first["build_info{\(source),version=\"0.1.0\"}"] == "1")
        #expect(first["duration_seconds{\(source),phase=\"saving_on_the_server\"}"] != nil)
        #expect(first["duration_seconds{\(source),phase=\"total\"}"] != nil)
        #expect(Set(first.keys.compactMap { $0.split(separator: "{").first }).count == 12)
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
        #expect(mode as? Int == 0o644)
        try await Self.promtool(["check", "metrics"], input: file)

        let failed = try await tool("create", "--password-file", "/none")
        #expect(failed.status == 78, "\(failed)")
        let second = try Self.samples(file)
        #expect(second["last_exit_code{\(source)}"] == "78")
        for name in ["last_success_timestamp_seconds", "last_verified_timestamp_seconds", "keys"] {
          #expect(second["\(name){\(source)}"] == first["\(name){\(source)}"], "\(name)")
        }
        #expect(try names(in: archives).contains("backup.prom.part") == false)
        try await Self.promtool(["check", "metrics"], input: file)

        // What verify finds is told, and what create told stays.
        let archive = try names(in: archives).first { $0.hasSuffix(".rdb.gz") } ?? ""
        try Data("x".utf8).write(to: URL(filePath: archives + "/" + archive))
        #expect(try await tool("verify", archive).status == 65)
        let third = try Self.samples(file)
        #expect(third["archives{\(source),state=\"damaged\"}"] == "1")
        #expect(third["last_exit_code{\(source)}"] == second["last_exit_code{\(source)}"])
      }
    }
  }

  @Test func `an archive that is dated in the future is no success`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let file = archives + "/backup.prom"
        var tool = BackupTool(for: server, archives: archives)
        try #require(try await tool("create").status == 0)
        let series = try ArchiveSeries(in: archives)
        try series.add(
          ArchiveSeries.name(ago: -86400 * 9000),
          [("_at\" : \"2", "_at\" : \"3")])
        tool.options += ["--metrics-file", file]
        let before = Date()
        #expect(try await tool("create").status == 0)
        let samples = try Self.samples(file)
        for name in ["last_success", "last_verified"] {
          let text = samples["\(name)_timestamp_seconds{source=\"127.0.0.1:\(server.port)\"}"]
          let time = try #require(text.flatMap(Double.init))
          #expect(abs(time - before.timeIntervalSince1970) < 3600, "\(name)")
        }
      }
    }
  }

  @Test func `a metrics file that cannot be written is a warning`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let outcome = try await tool("create", "--metrics-file", "/none/x.prom")
        #expect(outcome.status == 0)
        #expect(
          outcome.error
            == "raibid-backup: warning: cannot write the metrics to /none/x.prom: "
            + "cannot create /none/x.prom.part: no such file or directory\n")
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0, "only root mounts"))
  func `a file system that is read-only is named as the reason`() async throws {
    try await withTemporaryDirectory { path in
      let readOnly = path + "/mounted"
      try FileManager.default.createDirectory(
        atPath: readOnly, withIntermediateDirectories: false)
      guard unsafe mount("none", readOnly, "tmpfs", UInt(MS_RDONLY), nil) == 0 else { return }
      defer { unsafe umount(readOnly) }
      let archives = path + "/archives"
      try FileManager.default.createDirectory(
        atPath: archives, withIntermediateDirectories: false)
      let tool = BackupTool(options: ["--directory", archives], home: path)
      let outcome = try await tool(
        "prune", "--keep-last", "1", "--metrics-file", readOnly + "/x.prom")
      #expect(outcome.status == 0, "\(outcome)")
      #expect(
        outcome.error
          == "raibid-backup: warning: cannot write the metrics to \(readOnly)/x.prom: "
          + "cannot create \(readOnly)/x.prom.part: read-only file system\n")
    }
  }

  @Test func `an old file gives what is ours and nothing else`() {
    var metrics = Metrics(
      parsing: """
        # TYPE raibid_backup_keys gauge
        raibid_backup_keys{source="a\\"b"} 5
        raibid_backup_keys{source="c"} x
        raibid_backup_unknown{source="c"} 1
        other{source="c"} 1
        raibid_backup_keys 7
        """)
    #expect(
      metrics.text
        == """
        # HELP raibid_backup_keys The keys in the newest verified archive.
        # TYPE raibid_backup_keys gauge
        raibid_backup_keys{source="a\\"b"} 5

        """)
    metrics.set("keys", of: "a\"b", 6)
    #expect(metrics.text.hasSuffix("\nraibid_backup_keys{source=\"a\\\"b\"} 6\n"))
  }

  @Test(.enabled(if: Self.hasPromtool, "promtool is not installed"))
  func `promtool accepts the alerts, and they fire when they should`() async throws {
    let directory =
      URL(filePath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent().path + "/scripts/prometheus"
    try await Self.promtool(["check", "rules", directory + "/alerts.yaml"])
    try await Self.promtool(["test", "rules", directory + "/alerts-test.yaml"])
  }

  private static let hasPromtool = ["/usr/bin/promtool", "/usr/local/bin/promtool"].contains {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  private static func promtool(_ arguments: [String], input: String? = nil) async throws {
    // The suite says that it is skipped where promtool is missing; the figures are compared anyway.
    guard hasPromtool else { return }
    let text = try input.map { try String(contentsOfFile: $0, encoding: .utf8) } ?? ""
    let result = try await run(
      .name("promtool"), arguments: Arguments(arguments), input: .string(text),
      output: .string(limit: 1 << 16), error: .combinedWithOutput)
    #expect(result.terminationStatus.isSuccess, "\(result.standardOutput)")
  }

  /// The samples of a file, without the prefix.
  private static func samples(_ file: String) throws -> [String: String] {
    let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
    return lines.filter { !$0.hasPrefix("#") }.reduce(into: [:]) { samples, line in
      guard let space = line.lastIndex(of: " ") else { return }
      samples[String(line[..<space].dropFirst("raibid_backup_".count))] =
        String(line[line.index(after: space)...])
    }
  }
}
