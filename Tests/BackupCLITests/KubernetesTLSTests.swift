import FoundationEssentials
import Subprocess
import TestSupport
import Testing

/// A server in a pod that is reached by TLS, through a port-forward that ends at 127.0.0.1.
extension KubernetesEndToEndTests {
  private static let additions = [
    "    enable-debug-command local": """
        enable-debug-command local
        tls-port 6380
        tls-cert-file /tls/tls.crt
        tls-key-file /tls/tls.key
        tls-ca-cert-file /tls/tls.crt
        tls-auth-clients yes
    """,
    "        - {name: redis-data, mountPath: /data}": """
            - {name: redis-data, mountPath: /data}
            - {name: tls, mountPath: /tls, readOnly: true}
    """,
    "      - name: configuration\n": """
          - name: tls
            secret: {secretName: tls}
          - name: configuration

    """,
  ]

  @Test func `a server in a pod is who its certificate names, and asks for ours`() async throws {
    try await withTemporaryDirectory { home in
      let made = try await run(
        .name("openssl"),
        arguments: [
          "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
          "-keyout", "\(home)/tls.key", "-out", "\(home)/tls.crt", "-days", "2",
          "-subj", "/CN=redis.shop", "-addext", "subjectAltName=DNS:redis.shop",
        ], output: .discarded, error: .discarded)
      #expect(made.terminationStatus.isSuccess)
      try await ClusterRedis.inNamespace { redis in
        try await redis.kubectl(
          "create", "secret", "tls", "tls", "--cert=\(home)/tls.crt", "--key=\(home)/tls.key")
        try await redis.apply("redis.yaml", replacing: Self.additions)
        try await redis.awaitReady()
        try await redis.cli("SET a 1")
        var user = ClusterUser(redis, home: home)
        user.tool.options += [
          "--port", "6380", "--tls", "--cacert", home + "/tls.crt", "--cert", home + "/tls.crt",
        ]
        let unnamed = try await user.tool("create", "--key", home + "/tls.key")
        #expect(unnamed.status == 69, "\(unnamed)")
        #expect(unnamed.error.contains("certificate is for another name"), "\(unnamed)")
        #expect(unnamed.error.contains(" --sni NAME "), "\(unnamed)")

        user.tool.options += ["--sni", "redis.shop"]
        let created = try await user.tool("create", "--key", home + "/tls.key")
        try #require(created.status == 0, "\(created)")
        try await redis.cli("SET a 2\nSET b 1")
        let restored = try await user.tool(
          "restore", "latest", "--yes", "--restart", "server", "--tls-key", home + "/tls.key")
        #expect(restored.status == 0, "\(restored)")
        #expect(try await redis.cli("GET a\nEXISTS b") == "1\n0")
        #expect(try await redis.strangers() == [])
      }
    }
  }
}
