import FoundationEssentials
import Glibc
import Subprocess
import TestSupport
import Testing

@Suite struct ReachingTests {
  @Test func `a port that refuses and a host that is not there are told apart`() async throws {
    try await withTemporaryDirectory { archives in
      let port = TestPort.next()
      var tool = BackupTool(
        options: ["--target", "local", "--port", "\(port)", "--directory", archives], home: archives
      )
      try await Complaint(
        status: 69, kind: "unavailable",
        message: "cannot reach 127.0.0.1:\(port): connection refused",
        hint: "redis-cli -h 127.0.0.1 -p \(port) PING"
      ).expect(of: tool, "create")

      tool.options += ["--host", "no-such-host.invalid"]
      let unknown = try await tool("create")
      #expect(unknown.status == 69)
      #expect(
        unknown.error.hasPrefix(
          "raibid-backup: cannot reach no-such-host.invalid:\(port): cannot resolve the host: "))
      #expect(
        unknown.error.hasSuffix("\nhint: redis-cli -h no-such-host.invalid -p \(port) PING\n"))
      #expect(try names(in: archives) == [])
    }
  }

  @Test func `a port that never answers is given up on`() async throws {
    try await withTemporaryDirectory { archives in
      try await withSilentPort { port in
        var tool = BackupTool(
          options: ["--target", "local", "--port", "\(port)", "--directory", archives],
          home: archives)
        tool.options += ["--connect-timeout", "1s", "--stall-timeout", "2s"]
        try await Complaint(
          status: 69, kind: "unavailable",
          message: "cannot reach 127.0.0.1:\(port): no reply to INFO in 2 s",
          hint: "redis-cli -h 127.0.0.1 -p \(port) PING"
        ).expect(of: tool, "create")

        tool.environment["REDISCLI_AUTH"] = "pw"
        try await Complaint(
          status: 69, kind: "unavailable",
          message: "cannot reach 127.0.0.1:\(port): no connection in 1 s",
          hint: "redis-cli -h 127.0.0.1 -p \(port) --askpass PING"
        ).expect(of: tool, "create")
        #expect(try names(in: archives) == [])
      }
    }
  }

  @Test func `TLS that cannot be is told with a look at the handshake`() async throws {
    try await withTemporaryDirectory { archives in
      try await withRealServer(.primary) { server in
        var tool = BackupTool(for: server, archives: archives)
        tool.options += ["--tls", "--connect-timeout", "1s"]
        try await Complaint(
          status: 69, kind: "unavailable",
          message: "cannot reach 127.0.0.1:\(server.port): no TLS connection in 1 s",
          hint: "openssl s_client -connect 127.0.0.1:\(server.port) < /dev/null"
        ).expect(of: tool, "create")

        tool.options += ["--cacert", "/none/ca.crt"]
        try await Complaint(
          status: 69, kind: "unavailable",
          message: "cannot reach 127.0.0.1:\(server.port) over TLS: cannot use certificate "
            + "/none/ca.crt: no such file",
          hint:
            "openssl s_client -connect 127.0.0.1:\(server.port) -CAfile /none/ca.crt < /dev/null"
        ).expect(of: tool, "create")
        #expect(try names(in: archives) == [])
      }
    }
  }

  @Test func `a server with TLS must be of the authority that is trusted`() async throws {
    try await withTemporaryDirectory { keys in
      for name in ["one", "other"] {
        let made = try await run(
          .name("openssl"),
          arguments: [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", "\(keys)/\(name).key", "-out", "\(keys)/\(name).crt", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
          ], output: .discarded, error: .discarded)
        #expect(made.terminationStatus.isSuccess)
      }
      let port = TestPort.next()
      let configuration = [
        "tls-port \(port)", "tls-cert-file \(keys)/one.crt", "tls-key-file \(keys)/one.key",
        "tls-ca-cert-file \(keys)/one.crt", "tls-auth-clients no",
      ]
      try await withRealServer(.primary, configuration: configuration) { server in
        try await withTemporaryDirectory { archives in
          var tool = BackupTool(for: server, archives: archives)
          tool.options += ["--port", "\(port)"]
          try await Complaint(
            status: 69, kind: "unavailable",
            message:
              "cannot reach 127.0.0.1:\(port): the connection was closed before the reply to INFO",
            hint: "openssl s_client -connect 127.0.0.1:\(port) < /dev/null"
          ).expect(of: tool, "create")
          tool.options.append("--tls")
          let plain = tool.options
          tool.options += ["--cacert", "\(keys)/other.crt"]
          try await Complaint(
            status: 69, kind: "unavailable",
            message:
              "cannot reach 127.0.0.1:\(port) over TLS: the server's certificate is not trusted",
            hint:
              "openssl s_client -connect 127.0.0.1:\(port) -CAfile \(keys)/other.crt < /dev/null"
          ).expect(of: tool, "create")
          #expect(try names(in: archives) == [])
          tool.options = plain + ["--cacert", "\(keys)/one.crt"]
          let good = try await tool("create")
          #expect(good.status == 0, "\(good)")
        }
      }
    }
  }

  @Test func `a server that loads its data is busy`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await server.cli("DEBUG", "POPULATE", "2000", "key", "100")
        try await server.cli("SAVE")
        try append(
          "key-load-delay 20000\nloading-process-events-interval-bytes 1024\n",
          to: server.configurationFile)
        try await server.restart(waitUntilLoaded: false)
        let tool = BackupTool(for: server, archives: archives)
        for command in [
          ["create"],
          [
            "restore", server.directory + "/dump.rdb", "--yes",
            "--restart-command", "true",
          ],
        ] {
          let outcome = try await tool.run(command)
          #expect(outcome.status == 75, "\(outcome)")
          #expect(
            outcome.error.hasPrefix("raibid-backup: cannot use the server: it is loading its data"))
          #expect(
            outcome.error.hasSuffix(
              "\nhint: redis-cli -h 127.0.0.1 -p \(server.port) INFO persistence\n"))
        }
        #expect(try names(in: archives) == [])
      }
    }
  }

  /// A port that takes connections and never says anything.
  private func withSilentPort(_ body: (Int) async throws -> Void) async throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try #require(
      unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
          unsafe bind(listener, address, length) == 0 && listen(listener, 8) == 0
            && getsockname(listener, address, &length) == 0
        }
      })
    try await body(Int(UInt16(bigEndian: address.sin_port)))
  }

  private func append(_ text: String, to path: String) throws {
    let old = try String(contentsOfFile: path, encoding: .utf8)
    try Data((old + text).utf8).write(to: URL(filePath: path))
  }
}
