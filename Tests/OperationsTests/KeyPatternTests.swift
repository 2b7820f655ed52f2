import TestSupport
import Testing

@testable import Operations

struct KeyPatternTests {
  private static let patterns = [
    "*", "**", "?", "a", "a*", "*a", "*b*", "a?c", "a*c", "*:*", "raibid:*", "[abc]", "[a-c]x",
    "[c-a]x", "[^a]x", "[^a-b]*", "[a", "[", "[^", "[]", "[]a]", "[a-", "[a-]x", "[a-]", "[-a]",
    "[\\]]", "[\\-a]", "[\\", "\\*", "\\?", "\\[a]", "\\", "a\\", "\\a", "*[", "[a][b]", "??",
    "*a*b*c*", "h[ae]llo", "h*llo", "h?llo", "]", "^", "-", "[^]x", "a]",
  ]

  private static let keys = [
    "a", "b", "c", "x", "ax", "bx", "cx", "dx", "abc", "ac", "abbc", "a:b", "raibid:jobs", "*", "?",
    "[", "]", "\\", "-", "^", "[a]", "[a", "a]", "a-", "ab", "aXbYc", "hello", "hallo", "hillo",
    "heeello", "]x", "]a]", "a\\", "^x", "-x", "[ax",
  ]

  @Test(arguments: ServerVersion.available)
  func `a pattern means what it means to the server`(version: ServerVersion) async throws {
    try await withRealServer(version) { server in
      try await server.cli(
        [], input: Self.keys.map { "SET \(Self.quoted($0)) 1\n" }.joined())
      let replies = try await server.cli(
        [],
        input: Self.patterns.map { "KEYS \(Self.quoted($0))\nECHO --\n" }.joined())
      let answers = replies.split(separator: "--", omittingEmptySubsequences: false)
      for (text, answer) in zip(Self.patterns, answers) {
        let expected = Set(answer.split(separator: "\n").map(String.init))
        let pattern = KeyPattern(Array(text.utf8))
        let found = Set(Self.keys.filter { pattern.matches(Array($0.utf8)) })
        #expect(found == expected, "\(text)")
      }
    }
  }

  @Test func `a pattern that would take for ever elsewhere takes no time`() {
    let stars = KeyPattern([UInt8](repeating: 0x2a, count: 100_000) + [1])
    #expect(!stars.matches([UInt8](repeating: 0, count: 1_000)))
    let hard = KeyPattern(Array((String(repeating: "a*", count: 500) + "b").utf8))
    #expect(!hard.matches([UInt8](repeating: UInt8(ascii: "a"), count: 2_000)))
  }

  @Test func `bytes that are no text count as one each`() {
    #expect(KeyPattern(Array("a??".utf8)).matches([0x61, 0xff, 0x00]))
    #expect(!KeyPattern(Array("a?".utf8)).matches(Array("aé".utf8)))
  }

  private static func quoted(_ text: String) -> String {
    "\""
      + text.map { $0 == "\\" || $0 == "\"" ? "\\\($0)" : String($0) }.joined()
      + "\""
  }
}
