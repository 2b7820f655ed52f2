import FoundationEssentials
import TestSupport
import Testing

@Suite struct StatusTests {
  private struct Document: Decodable {
    struct Finding: Decodable {
      let check: String
      let state: String
      let message: String
      let hint: String?
    }
    let state: String
    let findings: [Finding]
  }

  @Test func `status tells age, size, unfinished restores and room, and ends with 0 or 79`()
    async throws
  {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let tool = BackupTool(for: server, archives: archives)
        let none = try await tool("status")
        #expect(none.status == 79)
        #expect(
          none.output.hasPrefix(
            "critical: there is no verified archive\n  hint: raibid-backup create "))

        #expect(try await tool("create").status == 0)
        let series = try ArchiveSeries(in: archives)
        for night in 1..<8 { try series.add(ArchiveSeries.name(ago: Double(night) * 86400)) }
        let fresh = try await tool("status")
        #expect(fresh.status == 0, "\(fresh)")
        #expect(fresh.output.hasPrefix("ok: the newest verified archive of 127.0.0.1:"))
        #expect(fresh.output.contains("\nok: no restore is unfinished\n"))
        #expect(fresh.output.contains("are free; the next three backups take"))
        #expect(try await tool("status", "--quiet").description == "exit 0\n")

        let stale = try await tool("status", "--max-age", "23h", "--json")
        #expect(stale.status == 79)
        let document = try stale.json(Document.self)
        #expect(document.state == "critical")
        #expect(document.findings.map(\.check) == ["age", "size", "restores", "space"])
        #expect(document.findings.map(\.state) == ["critical", "ok", "ok", "ok"])
        #expect(document.findings[0].hint?.hasPrefix("raibid-backup create ") == true)

        try series.add(
          ArchiveSeries.name(ago: 60), [("\"keys\" : ", "\"keys\" : 0, \"was\" : ")])
        let shrunk = try await tool("status")
        #expect(shrunk.status == 79)
        #expect(
          shrunk.output.contains("warning: the newest archive is much smaller than usual: 0 keys"))
        #expect(try await tool("status", "--shrink-limit", "0").status == 0)

        try Data(
          """
          {"archive":"a","directory":"/","event":"started","target":"x/y","time":"2026-11-23T02:00:00Z","user":"0"}
          {"archive":"a","directory":"/","event":"started","target":"x/z","time":"2026-11-23T02:00:00Z","user":"0"}
          {"archive":"a","directory":"/","event":"restored","target":"x/z","time":"2026-11-23T02:01:00Z","user":"0"}
          {"archive":"a","dire
          """.utf8
        ).write(to: URL(filePath: archives + "/restores.jsonl"))
        let unfinished = try await tool("status")
        #expect(unfinished.output.contains("critical: a restore of x/y has begun and not ended\n"))
        #expect(!unfinished.output.contains("x/z"))
      }
    }
  }

  @Test func `each Redis of a directory is checked, or the one that is named`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        #expect(try await tool("create").status == 0)
        let series = try ArchiveSeries(in: archives)
        try series.add(ArchiveSeries.name(ago: 60))
        try series.add(
          ArchiveSeries.name(ago: 9 * 86400), [("\"port\" : \(server.port)", "\"port\" : 1")])
        let both = try await tool("status")
        #expect(both.status == 79)
        #expect(
          both.output.contains("ok: the newest verified archive of 127.0.0.1:\(server.port) is "))
        #expect(
          both.output.contains("critical: the newest verified archive of 127.0.0.1:1 is 9 d old"))
        #expect(try await tool("status", "--source", "127.0.0.1:\(server.port)").status == 0)
        #expect(try await tool("status", "--source", "127.0.0.1:1").status == 79)
        let all = try await tool("verify", "--all")
        #expect(all.status == 0, "\(all)")
        #expect(all.output.split(separator: "\n").count == 2, "\(all)")
      }
    }
  }

  @Test func `the line for Nagios has performance data and that plugin's exit codes`()
    async throws
  {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        let tool = BackupTool(for: server, archives: archives)
        let critical = try await tool("status", "--nagios")
        #expect(critical.status == 2)
        #expect(
          critical.output.hasPrefix(
            "RAIBID-BACKUP CRITICAL - there is no verified archive | 'free'="))
        #expect(try await tool("create").status == 0)
        let ok = try await tool("status", "--nagios")
        #expect(ok.status == 0, "\(ok)")
        let form =
          /RAIBID-BACKUP OK - the newest verified archive of \S+ is \S+ s old \| 'age'=\d+s;;93600;0 'keys'=0;;;0 'rdb'=\d+B;;;0 'archive'=\d+B;;;0 'free'=\d+B;\d+:;\d+:;0\n/
        #expect(ok.output.wholeMatch(of: form) != nil, "\(ok)")
        let series = try ArchiveSeries(in: archives)
        for night in 1..<8 {
          try series.add(
            ArchiveSeries.name(ago: Double(night) * 3600),
            night == 1 ? [] : [("\"keys\" : 0", "\"keys\" : 9")])
        }
        #expect(try await tool("status", "--nagios").status == 1)
        let unknown = try await tool.run(
          ["status", "--nagios", "--directory", "/proc/self/status"], plain: true)
        #expect(unknown.status == 3, "\(unknown)")
        #expect(unknown.output.hasPrefix("RAIBID-BACKUP UNKNOWN - cannot "))
      }
    }
  }

  @Test func `Nagios is told of settings and options that mean nothing, as unknown`() async throws {
    try await withTemporaryDirectory { home in
      let file = home + "/settings.json"
      try Data(#"{"max_age": 1}"#.utf8).write(to: URL(filePath: file))
      let tool = BackupTool(options: ["--nagios"], home: home)
      let settings = try await tool("status", "--config", file)
      #expect(
        settings.description
          == "exit 3\nRAIBID-BACKUP UNKNOWN - cannot use max_age in \(file): it belongs "
          + "into the section of its command, {\"status\": {\"max_age\": …}}\n")
      let option = try await tool("status", "--max-age", "26")
      #expect(option.status == 3 && option.error.isEmpty, "\(option)")
      #expect(option.output.hasPrefix("RAIBID-BACKUP UNKNOWN - cannot read the command line: "))
    }
  }
}
