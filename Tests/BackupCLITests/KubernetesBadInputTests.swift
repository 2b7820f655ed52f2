import FoundationEssentials
import Glibc
import TestSupport
import Testing

extension KubernetesEndToEndTests {
  /// What a user can get wrong. Nothing here changes the server, so that one serves all tests.
  @Suite(.serialized, SharedCluster())
  struct BadInput {
    private let user: ClusterUser

    init() throws {
      user = try #require(SharedCluster.user)
    }

    @Test(arguments: [
      (["--pod", "nopod"], "cannot find pod nopod", "kubectl -n NAMESPACE get pods"),
      (["--namespace", "nons"], "cannot find namespace nons", "kubectl -n nons get namespaces"),
      (
        ["--container", "nope"], "cannot find the container in pod raibid-redis-master-0",
        "--container redis"
      ),
      (["--context", "nope"], "cannot find context nope", "kubectl config get-contexts"),
    ])
    func `a place that does not exist is named`(
      options: [String], message: String, hint: String
    ) async throws {
      for command in [["create"], ["restore", "latest", "--yes"]] {
        if command[0] == "restore" { _ = try await user.tool("create") }
        // The place of the test comes first: the last one of an option given twice counts.
        let outcome = try await user.tool.run(
          command + user.tool.options + options, plain: true)
        #expect(outcome.status == 69, "\(outcome)")
        #expect(outcome.error.contains(message), "\(outcome)")
        let namespaced = hint.replacing("NAMESPACE", with: user.redis.namespace)
        #expect(outcome.error.hasSuffix("\(namespaced)\n"), "\(outcome)")
        #expect(try user.unfinished() == [])
      }
    }

    @Test func `without kubectl nothing can be reached`() async throws {
      var tool = user.tool
      tool.environment["PATH"] = "/nonexistent"
      let outcome = try await tool("create")
      #expect(outcome.status == 69, "\(outcome)")
      #expect(
        outcome.error
          .hasPrefix(
            """
            raibid-backup: cannot run kubectl: it is not on PATH
            hint: raibid-backup create
            """), "\(outcome)")
    }

    @Test(.timeLimit(.minutes(2)), arguments: ["refuses", "is silent"])
    func `an API server that cannot be reached is not waited for without end`(
      how: String
    ) async throws {
      let port = TestPort.next()
      let listener = try SilentListener(port: port, accepts: how == "is silent")
      var tool = user.tool
      let server = "https://127.0.0.1:\(port)"
      tool.environment["KUBECONFIG"] = try await user.kubeconfig(server: server)
      let outcome = try await tool("create")
      #expect(outcome.status == 69, "\(outcome)")
      #expect(outcome.error.contains("hint: "), "\(outcome)")
      #expect(try user.unfinished() == [])
      listener.close()
    }

    @Test func `the password is read from the Secret that is named`() async throws {
      let named = try await user.tool("create", "--password-secret", "raibid-redis/redis-password")
      #expect(named.status == 0, "\(named)")
      let missing = try await user.tool("create", "--password-secret", "nosecret/redis-password")
      #expect(missing.status == 78, "\(missing)")
      #expect(missing.error.contains("no key redis-password in a Secret nosecret"), "\(missing)")
      let keyless = try await user.tool("create", "--password-secret", "raibid-redis/nokey")
      #expect(keyless.status == 78, "\(keyless)")
      #expect(keyless.error.contains("no key nokey in a Secret raibid-redis"), "\(keyless)")
    }

    @Test func `a wrong password is said to be wrong and not shown`() async throws {
      try "not the password\n".write(
        toFile: user.home + "/password", atomically: false, encoding: .utf8)
      let outcome = try await user.tool("create", "--password-file", user.home + "/password")
      #expect(outcome.status == 77, "\(outcome)")
      #expect(outcome.error.contains("user or password is wrong"), "\(outcome)")
      #expect(outcome.error.hasSuffix(" -- redis-cli --askpass PING\n"), "\(outcome)")
      #expect(!outcome.description.contains("not the password"))
      #expect(try user.unfinished() == [])
    }

    @Test func `without a Secret the places that were looked at are told`() async throws {
      let secret = try await user.redis.kubectl("get", "secret/raibid-redis", "-o", "yaml")
      try await user.redis.kubectl("delete", "secret/raibid-redis")
      let outcome = try await user.tool("create")
      try await user.redis.kubectl("create", "--filename=-", input: secret)
      #expect(outcome.status == 77, "\(outcome)")
      for place in ["--password-file", "REDISCLI_AUTH", "redis-credentials.json", "Secret"] {
        #expect(outcome.error.contains(place), "\(outcome)")
      }
      #expect(try user.unfinished() == [])
    }
  }
}

/// One Redis with the sample data for all tests of a suite.
struct SharedCluster: SuiteTrait, TestScoping {
  @TaskLocal static var user: ClusterUser?

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    guard ClusterRedis.kubeconfig != nil else { return try await function() }
    try await ClusterUser.with { user in
      try await Self.$user.withValue(user) { try await function() }
    }
  }
}

extension ClusterUser {
  /// The kubeconfig of the tests, for another server or another account.
  func kubeconfig(server: String? = nil, account: String? = nil) async throws -> String {
    var text = try await redis.kubectl("config", "view", "--raw", "--flatten", "--minify")
    if let server {
      text = text.split(separator: "\n").map { line in
        line.hasPrefix("    server: ") ? "    server: \(server)" : String(line)
      }.joined(separator: "\n")
    }
    if let account {
      let name = "system:serviceaccount:\(redis.namespace):\(account)"
      text = text.replacing("\n  user:\n", with: "\n  user:\n    as: \(name)\n")
    }
    let path = home + "/kubeconfig-\(UInt32.random(in: 0 ... .max))"
    try text.write(toFile: path, atomically: false, encoding: .utf8)
    return path
  }
}

/// A TCP port where nobody says anything, or where nobody is.
final class SilentListener: Sendable {
  private let descriptor: Int32

  init(port: Int, accepts: Bool) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(UInt16(port)).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
    let bound = unsafe withUnsafePointer(to: &address) { pointer in
      unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        unsafe bind(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    try #require(bound == 0)
    if accepts { try #require(listen(descriptor, 16) == 0) }
  }

  func close() {
    Glibc.close(descriptor)
  }
}
