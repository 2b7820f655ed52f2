import TestSupport
import Testing

/// A server in a container that has nothing but the server.
@Suite struct ShellLessTests {
  @Test
  func `where files cannot be used a restore is refused, and one of all keys does`() async throws {
    try await FakePod.with { pod in
      try pod.fail(
        """
        case "$*" in
          *exec*) fail='exec: "sh": executable file not found in $PATH: unknown' ;;
        esac
        """)
      let made = try await pod.tool("create")
      #expect(made.status == 0, "\(made)")
      try await pod.server.cli("FLUSHALL")
      try await pod.server.cli("SET", "key:7", "later")
      try await Complaint(
        status: 76, kind: "incompatible",
        message: "cannot use the files of the server: container redis has no sh",
        hint: "AGAIN --match '*'   # writes keys over the connection"
      ).expect(of: pod.tool, "restore", "latest", "--yes")
      #expect(try await pod.server.cli("DBSIZE") == "1")
      let restored = try await pod.tool("restore", "latest", "--match", "*", "--replace", "--yes")
      #expect(restored.status == 0, "\(restored)")
      #expect(try await pod.server.cli("DBSIZE") == "2000")
      #expect(try await pod.server.cli("GET", "key:7") != "later")
    }
  }
}
