import FoundationEssentials
import Glibc
import TestSupport
import Testing

/// What `docs/faults.md` says, held against the program and a real server behind a kubectl that breaks.
@Suite struct FaultTests {
  @Test(arguments: ["9", "0"])
  func `what is compressed more slowly than it can come is copied in the way that waits`(
    level: String
  ) async throws {
    struct Document: Decodable {
      struct Save: Decodable {
        let via: String
      }

      let save: Save
    }
    try await FakePod.with { pod in
      try await pod.server.cli("SETRANGE", "large", "70000000", "x")
      let created = try await pod.tool("create", "--level", level, "--json")
      try #require(created.status == 0, "\(created)")
      #expect(try created.json(Document.self).save.via == (level == "0" ? "cp" : "exec"))
    }
  }

  /// A line of the table.
  struct Row: Sendable, CustomTestStringConvertible {
    let fault: String
    let way: String
    let tries: Int
    let status: Int32

    var testDescription: String { "\(fault), \(way)" }
  }

  @Test(arguments: try table())
  func `a fault ends as the table says`(row: Row) async throws {
    let fault = try #require(Fault(rawValue: row.fault), "no test makes this fault")
    try await FakePod.with(configuration: fault.configuration) { pod in
      try pod.fail(fault.control(pod, way: row.way))
      if fault == .unwritable {
        // A directory cannot be replaced by the server's dump.
        try FileManager.default.createDirectory(
          atPath: pod.server.directory + "/dump.rdb", withIntermediateDirectories: false)
      }
      let outcome = try await pod.tool.run(["create", "--via", row.way, "--json"]) { processID in
        try await fault.act(on: pod.server, during: processID)
      }
      #expect(outcome.status == row.status, "\(outcome)")
      let tries = outcome.error.split(separator: "\n").count { $0.contains("; trying again in ") }
      #expect(tries + 1 == row.tries, "\(outcome)")
      try await eventually("nothing is left") { try pod.leftovers().isEmpty }
      // Whole, or not there.
      #expect(try names(in: pod.archives).count == (row.status == 0 ? 3 : 0))
      if row.status == 0 {
        let verified = try await pod.tool("verify", "--all")
        #expect(verified.status == 0, "\(verified)")
      }
    }
  }

  @Test func `every fault that is tested is in the table`() throws {
    #expect(Set(try Self.table().map(\.fault)) == Set(Fault.allCases.map(\.rawValue)))
  }

  @Test(arguments: ["cp", "exec", "replication"])
  func `one backup calls kubectl as often as the table says`(way: String) async throws {
    let row = try Self.cells().first { $0.count == 4 && $0[0] == way }
    try await FakePod.with { pod in
      let outcome = try await pod.tool("create", "--via", way)
      #expect(outcome.status == 0, "\(outcome)")
      #expect(try "\(pod.callCount())" == row?[1])
    }
  }

  private static func table() throws -> [Row] {
    try cells().flatMap { cells -> [Row] in
      guard cells.count == 5, let tries = Int(cells[2]), let status = Int32(cells[4]) else {
        return []
      }
      return cells[1].split(separator: ",").map { way in
        Row(
          fault: cells[0], way: String(way.drop { $0 == " " }), tries: tries, status: status)
      }
    }
  }

  /// The cells of each line of every table.
  private static func cells() throws -> [[String]] {
    let text = try String(
      contentsOf: URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/faults.md"),
      encoding: .utf8)
    return text.split(separator: "\n").filter { $0.hasPrefix("|") }.map { line in
      line.split(separator: "|").map { cell in
        String(cell.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
    }
  }
}

/// What can go wrong between a pod and its backup.
private enum Fault: String, CaseIterable {
  case cut = "the bytes end early, with exit status 0"
  case cutAlways = "the same, each time"
  case killed = "the command in the container is killed"
  case stall = "no byte comes any more"
  case stallAlways = "the same, each time it is tried"
  case pause = "the API server stands still for less than `--stall-timeout`"
  case flood = "a flood on standard error"
  case replaced = "somebody else saves while the dump is copied"
  case spoiled = "bytes change on the way"
  case noForward = "the port-forward does not open"
  case dropped = "the connection drops while the server saves"
  case podGone = "the pod goes while the dump is copied, and does not come back"
  case serverGone = "the server ends while its dump is copied, and the container does not"
  case unwritable = "the server cannot write its dump"
  case noShell = "the container has no shell"
  case frozen = "the server itself stands still"

  /// Lines of the server's configuration.
  var configuration: [String] {
    switch self {
    case .dropped: ["rdb-key-save-delay 1000"]
    case .cut, .frozen: ["rdb-key-save-delay 500"]
    case .unwritable: ["repl-diskless-sync no"]
    default: []
    }
  }

  /// Lines for the fake kubectl.
  func control(_ pod: FakePod, way: String) -> String {
    let dump = pod.server.directory + "/dump.rdb"
    let isCopy = way == "exec" ? #"*"exec --stdin"*"# : #"*" cp "*"#
    func copying(_ lines: String) -> String { "case \"$*\" in \(isCopy)) \(lines) ;; esac" }
    return switch self {
    case .cut: copying("if once cut; then cut=1000; fi")
    case .cutAlways: copying("cut=1000")
    case .killed:
      copying(
        "if once kill; then fail='command terminated with exit code 137'; fail_status=137; fi")
    case .stall: copying("if once hang; then hang_after=1000; fi")
    case .stallAlways: copying("hang_after=1000")
    case .pause: copying("pause_after=1000")
    case .flood: "flood=2000"
    case .replaced: copying("if once save; then cp \(dump) \(dump).x; mv \(dump).x \(dump); fi")
    case .spoiled: copying("spoil=1")
    case .noForward:
      """
      case "$*" in
        *port-forward*) fail='error: unable to forward port because pod is not running' ;;
      esac
      """
    case .podGone:
      """
      gone='Error from server (NotFound): pods "raibid-redis-master-0" not found'
      if [ -e "$here/once.gone" ]; then fail=$gone; fi
      \(copying("if once gone; then cut=1000; fi"))
      """
    case .serverGone: copying("kill -KILL $(cat '\(pod.server.directory)/redis.pid')")
    case .noShell:
      """
      case "$*" in
        *exec*) fail='exec: "sh": executable file not found in $PATH: unknown' ;;
      esac
      """
    case .dropped, .unwritable, .frozen: ""
    }
  }

  /// What happens to the server while the program runs.
  func act(on server: RealServer, during processID: Int32) async throws {
    switch self {
    case .cut where try await Self.isReplicated(server, during: processID):
      try await server.cli("CONFIG", "SET", "rdb-key-save-delay", "0")
      try await server.cli("CLIENT", "KILL", "TYPE", "replica")
    case .dropped:
      try await Self.untilSaving(server)
      try await server.cli("CONFIG", "SET", "rdb-key-save-delay", "0")
      try await server.cli("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    case .frozen:
      try await Self.untilSaving(server)
      try await server.cli("CONFIG", "SET", "rdb-key-save-delay", "0")
      let server = try #require(server.processID)
      kill(server, SIGSTOP)
      try await eventually("the stall is noticed") {
        try String(contentsOfFile: "/proc/\(processID)/fd/2", encoding: .utf8)
          .contains("trying again")
      }
      kill(server, SIGCONT)
    default: break
    }
  }

  private static func untilSaving(_ server: RealServer) async throws {
    try await eventually("the server saves") {
      try await server.cli("INFO", "persistence").contains("rdb_bgsave_in_progress:1")
    }
  }

  /// Waits until the server saves, and says whether that is for a replica.
  private static func isReplicated(
    _ server: RealServer, during processID: Int32
  ) async throws -> Bool {
    try await untilSaving(server)
    return try await server.cli("INFO", "replication").contains("connected_slaves:1")
  }
}
