import FoundationEssentials
import Glibc
import Subprocess
import SystemPackage
import TestSupport
import Testing

@Suite struct RealServerTests {
  @Test(arguments: ServerVersion.available)
  func `a server keeps its data over a restart`(version: ServerVersion) async throws {
    let password = "p\"w ü\\"
    try await withRealServer(
      version, configuration: ["appendonly yes"], password: password
    ) { server in
      try await server.cli("SET", "key", "value")
      let before = try #require(server.processID)
      try await server.restart()
      let after = try #require(server.processID)
      #expect(before != after)
      let value = try await server.cli("GET", "key")
      #expect(value == "value")
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a server that somebody else starts again is ended too`(version: ServerVersion) async throws
  {
    let processID = try await withRealServer(version, password: "secret") { server in
      try await server.stop()
      #expect(server.processID == nil)
      let shell = try await run(
        .path("/bin/sh"), arguments: ["-c", server.startCommand], output: .discarded)
      #expect(shell.terminationStatus.isSuccess)
      try await eventually("the server answers") {
        do {
          return try await server.cli("PING") == "PONG"
        } catch is RealServer.ClientFailed {
          return false
        }
      }
      return try #require(server.processID)
    }
    #expect(!isAlive(processID))
  }

  @Test func `a server is ended when the body throws`() async throws {
    struct Stop: Error {}
    var processID: Int32?
    await #expect(throws: Stop.self) {
      try await withRealServer(.primary) { server in
        processID = server.processID
        // Not even a server that is stopped stays.
        kill(try #require(processID), SIGSTOP)
        throw Stop()
      }
    }
    #expect(!isAlive(try #require(processID)))
  }

  @Test func `a server that cannot start says why`() async throws {
    let error = await #expect(throws: RealServer.DidNotStart.self) {
      try await withRealServer(.primary, configuration: ["no-such-setting yes"]) { _ in }
    }
    #expect(error?.output.contains("no-such-setting") == true)
  }

  @Test func `a directory that is given stays with its files`() async throws {
    try await withTemporaryDirectory { directory in
      try await withRealServer(.primary, directory: directory) { server in
        try await server.cli("SET", "key", "value")
        try await server.cli("SAVE")
      }
      #expect(FileManager.default.fileExists(atPath: directory + "/dump.rdb"))
      try await withRealServer(.primary, directory: directory) { server in
        let value = try await server.cli("GET", "key")
        #expect(value == "value")
      }
    }
  }

  @Test func `a port that is taken is not used`() async throws {
    try await withRealServer(.primary) { first in
      try await withRealServer(.primary) { second in
        #expect(first.port != second.port)
      }
    }
  }

  @Test func `the same seed gives the same numbers`() {
    var one = SplitMix(seed: 1_234_567)
    var other = SplitMix(seed: 1_234_567)
    #expect(one.next() == 6_457_827_717_110_365_317)
    #expect(one.next() == 3_203_168_211_198_807_973)
    #expect(other.bytes(count: 2).count == 2)
    #expect([UInt8](0...255).split(using: &other).flatMap { $0 } == [UInt8](0...255))
  }
}

/// Whether a process runs; one that has ended and that nobody has asked for its end does not.
private func isAlive(_ processID: Int32) -> Bool {
  FileManager.default.contents(atPath: "/proc/\(processID)/cmdline")?.isEmpty == false
}
