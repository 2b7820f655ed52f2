import FoundationEssentials
import TestSupport
import Testing

@Suite struct StreamTests {
  @Test func `a backup that went well is silent unless somebody watches or asks`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        var tool = BackupTool(for: server, archives: archives)
        for options in [[], ["--quiet"], ["--no-progress"]] {
          let outcome = try await tool.run(["create"] + options)
          #expect(outcome.status == 0 && outcome.output == "" && outcome.error == "", "\(outcome)")
        }
        tool.environment["NO_COLOR"] = "1"
        let verbose = try await tool("create", "--verbose")
        #expect(verbose.output.hasPrefix("\(archives)/redis-dump-"))
        #expect(
          verbose.error == """
            the dump will be read from its file
            saving on the server
            copying the dump
            reading the archive back
            publishing

            """)
        // One document, and nothing else.
        let json = try await tool("create", "--json", "--quiet")
        #expect(json.output.hasPrefix("{\n") && json.output.hasSuffix("\n}\n") && json.error == "")
      }
    }
  }

  @Test func `a terminal gets a progress line, which goes, and the result`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let tool = BackupTool(for: server, archives: archives).onTerminal()
        let watched = try await tool("create")
        #expect(watched.status == 0)
        #expect(watched.output.contains("\r\u{1B}[Ksaving on the server "))
        #expect(watched.output.contains("\r\u{1B}[K\(archives)/redis-dump-"))
        #expect(watched.output.contains(" keys, 3 streams, "))
        let still = try await tool("create", "--no-progress")
        #expect(!still.output.contains("\u{1B}"))
        let quiet = try await tool("create", "--quiet")
        #expect(quiet.status == 0 && quiet.output.allSatisfy(\.isWhitespace), "\(quiet)")
      }
    }
  }

  @Test(arguments: ["no", "y", "", "yes"])
  func `a restore asks, and only yes is yes`(answer: String) async throws {
    try await withRealServer(.primary, configuration: ["appendonly yes"]) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        let plain = BackupTool(for: server, archives: archives)
        #expect(try await plain("create").status == 0)
        let before = try await Queue.picture(server)
        try await Queue.wreck(server)
        let wrecked = try await Queue.picture(server)
        let outcome = try await plain.onTerminal(typing: answer)(
          "restore", "latest", "--restart-command", server.startCommand)
        #expect(outcome.output.contains("Restore now? Type yes: "), "\(outcome)")
        #expect(outcome.output.contains(" 1. write a journal on the volume"))
        #expect(outcome.status == (answer == "yes" ? 0 : 64), "\(outcome)")
        #expect(
          outcome.output.contains("the answer was not \"yes\"; nothing was changed")
            == (answer != "yes"))
        #expect(try await Queue.picture(server) == (answer == "yes" ? before : wrecked))
      }
    }
  }

  @Test func `a reader that leaves is no error, and a full disk is one`() async throws {
    try await withRealServer(.primary) { server in
      try await withTemporaryDirectory { archives in
        try await Queue.fill(server)
        var tool = BackupTool(for: server, archives: archives)
        tool.wrapper = ["bash", "-o", "pipefail", "-c", "\"$@\" | true", "-"]
        for command in [["create", "--json"], ["list", "--json"], ["verify", "--all"]] {
          let outcome = try await tool.run(command)
          #expect(outcome.status == 0 && outcome.error == "", "\(outcome)")
        }
        tool.wrapper = ["bash", "-c", "\"$@\" > /dev/full", "-"]
        let full = try await tool("list")
        #expect(full.status == 74)
        #expect(
          full.error.hasPrefix("raibid-backup: cannot write /dev/stdout: no space left on device\n")
        )
      }
    }
  }
}

extension BackupTool {
  /// The same on a terminal: both streams come out of it as one.
  fileprivate func onTerminal(typing answer: String = "") -> BackupTool {
    var tool = self
    // `script` takes one command line; the words come by the environment of a shell.
    tool.wrapper = [
      "bash", "-c",
      "printf -v line '%q ' \"$@\"; printf '%s\\n' '\(answer)' | script -qec \"$line\" /dev/null",
      "-",
    ]
    return tool
  }
}
