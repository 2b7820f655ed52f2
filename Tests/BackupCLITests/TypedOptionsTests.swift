import Testing

@testable import BackupCLI

@Suite struct TypedOptionsTests {
  @Test(arguments: [
    [], ["latest"], ["--tls", "--password-file", "x"], ["--directory=/a", "--no-progress"],
    ["--tag", "a=b", "-", "--", "--force"],
  ])
  func `long names are found without the options of the command`(words: [String]) throws {
    let options = try CommandOption.all(of: Create.self)
    let found = try #require(TypedOptions(longNamesIn: words)).names
    #expect(
      found.intersection(options.map(\.name)) == TypedOptions(words[...], of: options).names)
  }

  @Test(arguments: [["-q"], ["--tls", "-n", "x"], ["-qv"]])
  func `short names need the options of the command`(words: [String]) {
    #expect(TypedOptions(longNamesIn: words)?.names == nil)
  }
}
