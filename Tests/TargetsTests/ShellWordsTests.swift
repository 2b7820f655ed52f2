import Testing

@testable import Targets

@Suite struct ShellWordsTests {
  @Test(
    arguments: [
      (
        "redis-server /etc/redis.conf  --port 7000",
        ["redis-server", "/etc/redis.conf", "--port", "7000"]
      ),
      (
        "redis-server --dir '/my data' --dbfilename \"a b.rdb\"",
        ["redis-server", "--dir", "/my data", "--dbfilename", "a b.rdb"]
      ),
      (#"a\ b '\' "\"" '' c"#, ["a b", "\\", "\"", "", "c"]),
      ("a'b'c\td", ["abc", "d"]), ("  ", []), ("'open", ["open"]),
    ] as [(String, [String])])
  func `a line is split as a shell would`(line: String, words: [String]) {
    #expect(ShellWords.split(line) == words)
  }
}
