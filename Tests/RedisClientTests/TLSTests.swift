import FoundationEssentials
import Glibc
import RedisClient
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(2))) struct TLSTests {
  /// The servers that are built with TLS.
  static let versions = ServerVersion.available.filter {
    ["redis-system", "redis-7.0", "redis-7.4", "redis-8.0", "valkey-8.1"].contains($0.name)
  }

  @Test(arguments: versions)
  func `a server with a trusted certificate is accepted`(version: ServerVersion) async throws {
    try await withTLSServer(version) { server in
      // By the name in the certificate, and by its IP address.
      for name in ["redis.test", nil] {
        let tls = TLSOptions(caCertificateFile: server.file("ca.crt"), serverName: name)
        let credentials = RedisCredentials(password: Array("secret".utf8))
        try await RedisConnection.withConnection(
          to: server.address, credentials: credentials, tls: tls
        ) { connection in
          try await connection.expectPong()
          let status = try await connection.status(timeout: patience)
          #expect(status.role == .master)
        }
      }
    }
  }

  @Test(arguments: versions, ["yes", "no"])
  func `a dump comes over TLS`(version: ServerVersion, isDiskless: String) async throws {
    try await withTLSServer(version) { server in
      try await server.server.cli("CONFIG", "SET", "repl-diskless-sync", isDiskless)
      try await server.server.cli("CONFIG", "SET", "repl-diskless-sync-delay", "0")
      try await server.server.cli("DEBUG", "POPULATE", "50000")
      try await RedisConnection.withConnection(
        to: server.address, credentials: RedisCredentials(password: Array("secret".utf8)),
        tls: TLSOptions(caCertificateFile: server.file("ca.crt"))
      ) { connection in
        let stream = try await connection.requestDump(forValkey: nil, timeout: patience)
        let byteCount = try await stream.begin(within: patience)
        #expect((byteCount == nil) == (isDiskless == "yes"))
        let dump = try await stream.whole()
        #expect(dump.starts(with: "REDIS".utf8))
        #expect(dump.count > 1 << 20)
        if isDiskless == "no" {
          let file = try Data(contentsOf: URL(filePath: server.file("dump.rdb")))
          #expect(dump == Array(file))
        }
      }
    }
  }

  @Test func `another authority is refused`() async throws {
    try await withTLSServer(.primary) { server in
      try await openSSL(
        in: server.directory, "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:prime256v1", "-keyout", "other.key", "-out", "other.crt", "-subj",
        "/CN=other")
      let refused = RedisError.tlsFailed(reason: "the server's certificate is not trusted")
      for file in [server.file("other.crt"), nil] {
        await #expect(throws: refused) {
          try await server.connect(
            TLSOptions(caCertificateFile: file, serverName: "redis.test"))
        }
      }
    }
  }

  @Test func `another name is refused`() async throws {
    try await withTLSServer(.primary) { server in
      let refused = RedisError.tlsFailed(reason: "the server's certificate is for another name")
      for name in ["other.test", "test", "localhost"] {
        await #expect(throws: refused) {
          try await server.connect(
            TLSOptions(caCertificateFile: server.file("ca.crt"), serverName: name))
        }
      }
      // 127.0.0.2 reaches the server, but is not in its certificate.
      await #expect(throws: refused) {
        try await server.connect(
          TLSOptions(caCertificateFile: server.file("ca.crt")), host: "127.0.0.2")
      }
    }
  }

  @Test func `a server that wants a certificate gets ours`() async throws {
    try await withTLSServer(.primary, authenticatesClients: true) { server in
      let ca = server.file("ca.crt")
      await #expect(
        throws: RedisError.tlsFailed(reason: "the server requires a client certificate")
      ) {
        try await server.connect(TLSOptions(caCertificateFile: ca))
      }
      try await server.connect(
        TLSOptions(
          caCertificateFile: ca, certificateFile: server.file("redis.crt"),
          privateKeyFile: server.file("redis.key")))
    }
  }

  @Test func `a port without TLS is refused`() async throws {
    try await withRealServer(.primary) { server in
      let address = RedisAddress(host: "127.0.0.1", port: server.port)
      let error = await #expect(throws: RedisError.self) {
        try await RedisConnection.withConnection(
          to: address, tls: TLSOptions(), connectTimeout: .milliseconds(500)
        ) { _ in }
      }
      switch error {
      case .tlsFailed: break
      // Where no line end is in our hello, the server waits for one.
      case .connectTimedOut(address): break
      default: Issue.record("\(String(describing: error))")
      }
    }
  }

  @Test(arguments: [
    ("10.0.0.1", "the name of the server must not be an IP address"),
    ("", "the name of the server cannot be in a certificate"),
  ])
  func `a name that cannot be verified is told`(name: String, reason: String) async throws {
    try await withListener(answering: "") { address in
      await #expect(throws: RedisError.tlsFailed(reason: reason)) {
        try await RedisConnection.withConnection(to: address, tls: TLSOptions(serverName: name)) {
          _ in
        }
      }
    }
  }

  @Test func `a server that closes during the handshake is told`() async throws {
    try await withListener(saying: "") { address in
      let reason = "the server closed the connection during the handshake"
      await #expect(throws: RedisError.tlsFailed(reason: reason)) {
        try await RedisConnection.withConnection(to: address, tls: TLSOptions()) { _ in }
      }
    }
  }

  @Test func `a connection without TLS to a port with TLS is told`() async throws {
    try await withTLSServer(.primary) { server in
      await #expect(throws: RedisError.connectionClosed(command: "INFO")) {
        try await RedisConnection.withConnection(to: server.address) {
          try await $0.status(timeout: patience)
        }
      }
    }
  }

  @Test func `a handshake that hangs is given up, and can be cancelled`() async throws {
    try await withTLSServer(.primary) { server in
      kill(try #require(server.server.processID), SIGSTOP)
      let address = server.address
      await #expect(throws: RedisError.connectTimedOut(address)) {
        try await RedisConnection.withConnection(
          to: address, tls: TLSOptions(), connectTimeout: .milliseconds(50)
        ) { _ in }
      }
      let connecting = Task {
        try await RedisConnection.withConnection(
          to: address, tls: TLSOptions(), connectTimeout: .seconds(3600)
        ) { _ in }
      }
      connecting.cancel()
      await #expect(throws: CancellationError.self) { try await connecting.value }
    }
  }

  @Test func `the end does not wait for a server that hangs`() async throws {
    try await withTLSServer(.primary) { server in
      let processID = try #require(server.server.processID)
      let tls = TLSOptions(caCertificateFile: server.file("ca.crt"))
      try await RedisConnection.withConnection(to: server.address, tls: tls) { _ in
        _ = kill(processID, SIGSTOP)
      }
    }
  }

  @Test func `files that cannot be used are told`() async throws {
    try await withTemporaryDirectory { directory in
      let missing = directory + "/missing.pem"
      let empty = directory + "/empty.pem"
      try Data().write(to: URL(filePath: empty))
      let address = RedisAddress(host: "127.0.0.1", port: 1)
      let cases: [(TLSOptions, String)] = [
        (
          TLSOptions(caCertificateFile: missing), "cannot use certificate \(missing): no such file"
        ),
        (
          TLSOptions(caCertificateFile: empty),
          "cannot use certificate \(empty): not a certificate in PEM form"
        ),
        (
          TLSOptions(privateKeyFile: empty), "private key \(empty) without a certificate"
        ),
      ]
      for (tls, reason) in cases {
        await #expect(throws: RedisError.tlsFailed(reason: reason)) {
          try await RedisConnection.withConnection(to: address, tls: tls) { _ in }
        }
      }
    }
  }
}

/// A server with a second port for TLS and a certificate for `redis.test` and 127.0.0.1.
private struct TLSServer {
  let server: RealServer
  let directory: String
  let port: Int

  var address: RedisAddress { RedisAddress(host: "127.0.0.1", port: port) }

  func file(_ name: String) -> String { directory + "/" + name }

  /// Connects, has one command answered, and closes.
  func connect(_ tls: TLSOptions, host: String = "127.0.0.1") async throws {
    try await RedisConnection.withConnection(
      to: RedisAddress(host: host, port: port),
      credentials: RedisCredentials(password: Array("secret".utf8)), tls: tls
    ) { try await $0.expectPong() }
  }
}

private func withTLSServer(
  _ version: ServerVersion, authenticatesClients: Bool = false,
  _ body: (TLSServer) async throws -> Void
) async throws {
  try await withTemporaryDirectory { directory in
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try await openSSL(
      in: directory,
      ["req", "-x509"] + curve + ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=test CA"])
    try await openSSL(
      in: directory,
      ["req", "-x509", "-CA", "ca.crt", "-CAkey", "ca.key"] + curve + [
        "-keyout", "redis.key", "-out", "redis.crt", "-subj", "/CN=redis.test",
        "-addext", "subjectAltName=DNS:redis.test,IP:127.0.0.1",
        "-addext", "basicConstraints=critical,CA:FALSE",
      ])
    let port = TestPort.next()
    let configuration = [
      "bind 127.0.0.1 127.0.0.2", "tls-port \(port)",
      "tls-auth-clients \(authenticatesClients ? "yes" : "no")",
      "tls-ca-cert-file \(directory)/ca.crt", "tls-cert-file \(directory)/redis.crt",
      "tls-key-file \(directory)/redis.key",
    ]
    try await withRealServer(
      version, configuration: configuration, password: "secret", directory: directory
    ) { server in
      try await body(TLSServer(server: server, directory: directory, port: port))
    }
  }
}

private func openSSL(in directory: String, _ arguments: String...) async throws {
  try await openSSL(in: directory, arguments)
}

private func openSSL(in directory: String, _ arguments: [String]) async throws {
  let result = try await run(
    .name("openssl"), arguments: Arguments(arguments), workingDirectory: FilePath(directory),
    output: .discarded, error: .string(limit: 65_536))
  try #require(result.terminationStatus.isSuccess, "\(result.standardError)")
}
