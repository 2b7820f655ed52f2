import Targets
import TestSupport
import Testing

@testable import Operations

struct ConfigurationLineTests {
  @Test(arguments: [
    (#"appendonly yes"#, ["appendonly", "yes"]),
    (#"  save ""  "#, ["save", ""]),
    (#"dir "/data dir""#, ["dir", "/data dir"]),
    (#"x 'it\'s' "a\tb\x41\"""#, ["x", "it's", "a\tbA\""]),
    ("", []),
  ])
  func `words are read as a server reads them`(line: String, words: [String]) {
    #expect(ConfigurationLine.words(in: line) == words)
  }

  @Test(arguments: [#"dir "open"#, #"dir 'open"#, #"dir "a"b"#])
  func `a line with a broken quote has no words`(line: String) {
    #expect(ConfigurationLine.words(in: line) == nil)
  }

  @Test(arguments: ["plain", "jobs log.aof", "", "a\"b", "tab\there", "back\\slash"])
  func `a quoted name reads back as itself`(name: String) {
    #expect(ConfigurationLine.words(in: ConfigurationLine.quoted(name)) == [name])
  }
}

struct AOFManifestTests {
  @Test func `a manifest is read with its offsets and history`() {
    let manifest = AOFManifest(
      """
      file appendonly.aof.3.base.rdb seq 3 type b
      file appendonly.aof.2.incr.aof seq 2 type h
      file appendonly.aof.3.incr.aof seq 3 type i startoffset 0 endoffset 2001

      """)
    #expect(manifest?.files.map(\.type) == ["b", "h", "i"])
    #expect(manifest?.highestSequence == 3)
  }

  @Test func `names with blanks are quoted both ways`() {
    let manifest = AOFManifest(files: [
      AOFManifest.File(name: "jobs log.aof.1.base.rdb", sequence: 1, type: "b")
    ])
    #expect(manifest.text == "file \"jobs log.aof.1.base.rdb\" seq 1 type b\n")
    #expect(AOFManifest(manifest.text) == manifest)
  }

  @Test(arguments: ["nonsense", "file x seq y type b", "file ../x seq 1 type b", "file x seq 1"])
  func `what no server writes is not understood`(text: String) {
    #expect(AOFManifest(text) == nil)
  }
}

struct NextStartTests {
  private func read(
    _ files: [String: String], arguments: [String] = []
  ) async throws -> NextStart? {
    try await withTemporaryDirectory { path in
      let volume = LocalVolume()
      for (name, text) in files {
        let filled = text.replacing("DIR", with: path)
        try await volume.write("\(path)/\(name)", ownership: nil, contents: Array(filled.utf8))
      }
      return try await NextStart.read(
        file: files.isEmpty ? "" : "\(path)/redis.conf", arguments: arguments, from: volume)
    }
  }

  @Test func `the last value counts, those of included files too`() async throws {
    let start = try await read([
      "redis.conf": "# appendonly no\nAppendOnly no\ninclude DIR/more.conf\ndir /data\n",
      "more.conf": "appendonly yes\nappenddirname \"a b\"\n",
    ])
    #expect(
      start?.settings == ["appendonly": "yes", "appenddirname": "a b", "dir": "/data"])
  }

  @Test func `arguments come after the file`() async throws {
    let start = try await read(
      ["redis.conf": "appendonly no\n"],
      arguments: ["redis-server", "/etc/redis.conf", "--appendonly", "yes", "--port", "1"])
    #expect(start?.settings == ["appendonly": "yes", "port": "1"])
  }

  @Test func `a file that includes itself ends`() async throws {
    let start = try await read(["redis.conf": "include DIR/redis.conf\nappendonly yes\n"])
    #expect(start?.settings["appendonly"] == "yes")
  }

  @Test func `nothing to see is nil`() async throws {
    #expect(try await read([:]) == nil)
    #expect(
      try await NextStart.read(file: "/nowhere/x.conf", arguments: [], from: LocalVolume()) == nil)
  }
}
