import FoundationEssentials
import Glibc
import Subprocess
import TestSupport
import Testing

@Suite struct HeartbeatTests {
  @Test func `a monitor is told the beginning and the end`() async throws {
    try await withMonitoredServer { server, tool, monitor in
      let url = "http://127.0.0.1:\(monitor.port)/s3cret/?create=1&x=[1]"
      let created = try await tool("create", "--heartbeat-url", url)
      #expect(created.description == "exit 0\n")
      var requests = try monitor.requests
      #expect(requests.map(\.path) == ["/s3cret/start?create=1&x=[1]", "/s3cret?create=1&x=[1]"])
      #expect(requests.last?.text.contains(": 0 keys, 0 streams, ") == true)

      // The error of the run stays what it is.
      try await server.cli("CONFIG", "SET", "requirepass", "other")
      let failed = try await tool("create", "--heartbeat-url", url)
      #expect(failed.status == 77, "\(failed)")
      requests = try monitor.requests
      #expect(requests.dropFirst(2).map(\.path).last == "/s3cret/fail?create=1&x=[1]")
      #expect(requests.last?.text == failed.error)
      #expect(!failed.description.contains("s3cret"))
    }
  }

  @Test func `the end is told again where it was not taken, the beginning is not`() async throws {
    try await withMonitoredServer(statuses: [503, 503, 200]) { _, tool, monitor in
      let url = "http://127.0.0.1:\(monitor.port)/s3cret"
      let created = try await tool("create", "--heartbeat-url", url)
      #expect(created.status == 0)
      #expect(
        created.error
          == "raibid-backup: warning: http://127.0.0.1:\(monitor.port)/… could not be told: "
          + "it answered 503\n")
      #expect(try monitor.requests.map(\.path) == ["/s3cret/start", "/s3cret", "/s3cret"])
    }
  }

  @Test func `a monitor that is not there decides nothing`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        var tool = BackupTool(for: server, archives: archives)
        // The port of a server that has ended, or of nobody.
        let port = TestPort.next()
        for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
          tool.environment[name] = .some(nil)
        }
        tool.environment["RAIBID_BACKUP_HEARTBEAT_URL"] = "http://127.0.0.1:\(port)/s3cret"
        let created = try await tool("create", "--json")
        #expect(created.status == 0, "\(created)")
        #expect(
          created.error == "raibid-backup: warning: http://127.0.0.1:\(port)/… could not be told: "
            + "connection refused\n")
        #expect(!created.description.contains("s3cret"))
        tool.environment["HTTPS_PROXY"] = "http://127.0.0.1:1"
        #expect(try await tool("create").error.hasSuffix("refused; no proxy is used\n"))
      }
    }
  }

  @Test func `a monitor that does not speak HTTP is told of as such`() async throws {
    try await withMonitoredServer(statuses: [1]) { _, tool, monitor in
      let created = try await tool(
        "create", "--heartbeat-url", "http://127.0.0.1:\(monitor.port)/s3cret")
      #expect(created.status == 0, "\(created)")
      #expect(created.error.hasSuffix("could not be told: its answer is not HTTP\n"), "\(created)")
    }
  }

  @Test func `a certificate is verified`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { directory in
        try await Self.makeCertificate(in: directory)
        try await Monitor.with(in: directory, tls: true) { monitor in
          var tool = BackupTool(for: server, archives: directory + "/archives")
          let url = "https://127.0.0.1:\(monitor.port)/s3cret"
          let refused = try await tool("create", "--heartbeat-url", url)
          #expect(refused.status == 0)
          #expect(
            refused.error.hasSuffix("told: the server's certificate is not trusted\n"), "\(refused)"
          )
          #expect(try monitor.requests == [])
          tool.environment["SSL_CERT_FILE"] = directory + "/certificate.pem"
          #expect(try await tool("create", "--heartbeat-url", url).description == "exit 0\n")
          #expect(try monitor.requests.map(\.path) == ["/s3cret/start", "/s3cret"])
        }
      }
    }
  }

  @Test func `a run that a signal ends is told as a failure`() async throws {
    try await withMonitoredServer { server, tool, monitor in
      let processID = try #require(server.processID)
      kill(processID, SIGSTOP)
      defer { kill(processID, SIGCONT) }
      let metrics = server.directory + "/metrics"
      let result = try await tool.run([
        "create", "--heartbeat-url", "http://127.0.0.1:\(monitor.port)/x", "--metrics-file",
        metrics, "--on-failure", "echo \"$RAIBID_BACKUP_KIND $RAIBID_BACKUP_EXIT_CODE\"",
      ]) { tool in
        try await eventually("the run has begun") {
          FileManager.default.fileExists(atPath: server.directory + "/archives")
        }
        kill(tool, SIGTERM)
      }
      #expect(result.status == 143)
      #expect(result.error.hasPrefix("interrupted 143\n"), "\(result)")
      #expect(try monitor.requests.map(\.path) == ["/x/start", "/x/fail"])
      let text = try String(contentsOfFile: metrics, encoding: .utf8)
      #expect(text.contains("last_exit_code{source=\"127.0.0.1:\(server.port)\"} 143\n"))
    }
  }

  @Test func `a signal ends a run whose monitor is still being connected to, and nobody is told`()
    async throws
  {
    try await withMonitoredServer(statuses: [2]) { _, tool, monitor in
      let result = try await tool.run([
        "create", "--heartbeat-url", "http://127.0.0.1:\(monitor.port)/x",
      ]) { tool in
        // The monitor is told before the server is asked anything.
        try await eventually("it connects") { try Self.hasSocket(tool) }
        kill(tool, SIGTERM)
      }
      // Connecting alone would take ten seconds, and end with a warning.
      #expect(
        result.description
          == "exit 143\nraibid-backup: cannot finish: a signal ended this run, "
          + "and nothing half-done is left\n")
    }
  }

  /// Whether a process has a socket.
  private static func hasSocket(_ processID: Int32) throws -> Bool {
    let directory = "/proc/\(processID)/fd"
    return try FileManager.default.contentsOfDirectory(atPath: directory).contains { name in
      // One that is closed meanwhile is none.
      let target = try? FileManager.default.destinationOfSymbolicLink(
        atPath: directory + "/" + name)
      return target?.hasPrefix("socket:") == true
    }
  }

  @Test func `a monitor that never answers is given up`() async throws {
    try await withMonitoredServer(statuses: [0]) { _, tool, monitor in
      let created = try await tool(
        "create", "--heartbeat-url", "http://127.0.0.1:\(monitor.port)/s3cret")
      #expect(created.status == 0, "\(created)")
      // The beginning and the end: the same warning is printed once.
      #expect(
        created.error.hasSuffix("/… could not be told: no answer within 10 s\n"), "\(created)")
    }
  }

  @Test func `a signal while success is being told does not silence it`() async throws {
    try await withMonitoredServer(statuses: [200, 503, 200]) { server, tool, monitor in
      let result = try await tool.run([
        "create", "--heartbeat-url", "http://127.0.0.1:\(monitor.port)/x",
      ]) { tool in
        // The second try comes a second later.
        try await eventually("success is being told") { try monitor.requests.count >= 2 }
        kill(tool, SIGTERM)
      }
      #expect(result.description == "exit 0\n")
      #expect(try monitor.requests.map(\.path) == ["/x/start", "/x", "/x"])
    }
  }

  @Test(arguments: [
    "ftp://host/s3cret", "host/s3cret", "http:///s3cret", "http://a b/s3cret",
    "http://a/s3cret?x=\"y\"",
  ])
  func `what is no URL for this is refused, and not repeated`(url: String) async throws {
    let tool = BackupTool(options: [], home: "/")
    let result = try await tool("create", "--heartbeat-url", url)
    #expect(result.status == 64)
    #expect(
      result.error
        == "raibid-backup: cannot read the command line: --heartbeat-url: it is no URL that begins "
        + "with http:// or https:// and a host\nhint: raibid-backup help create\n")
  }

  @Test func `a hint does not repeat the URL`() async throws {
    try await withTemporaryDirectory { home in
      let tool = BackupTool(options: [], home: home)
      for words in [
        ["--heartbeat-url", "http://[::1]:1/s3cret"], ["--heartbeat-url=http://[::1]:1/s3cret"],
      ] {
        let result = try await tool.run(
          ["create", "--target", "local", "--port", "1", "--directory", home + "/no/such"] + words)
        #expect(result.status != 0)
        #expect(!result.description.contains("s3cret"), "\(result)")
      }
    }
  }

  private func withMonitoredServer(
    statuses: [Int] = [200],
    _ body: @Sendable @escaping (RealServer, BackupTool, Monitor) async throws -> Void
  ) async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { directory in
        try await Monitor.with(in: directory, statuses: statuses) { monitor in
          let tool = BackupTool(for: server, archives: server.directory + "/archives")
          try await body(server, tool, monitor)
        }
      }
    }
  }

  /// A certificate for 127.0.0.1 with its key, signed by itself.
  private static func makeCertificate(in directory: String) async throws {
    let result = try await Subprocess.run(
      .name("openssl"),
      arguments: [
        "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
        "-keyout", directory + "/key.pem", "-out", directory + "/crt.pem", "-subj", "/CN=monitor",
        "-addext", "subjectAltName=IP:127.0.0.1",
      ], output: .discarded, error: .discarded)
    #expect(result.terminationStatus.isSuccess)
    var both = try Data(contentsOf: URL(filePath: directory + "/key.pem"))
    both.append(try Data(contentsOf: URL(filePath: directory + "/crt.pem")))
    try both.write(to: URL(filePath: directory + "/certificate.pem"))
  }
}
