import RedisClient
import Testing

@Suite struct RESPCommandTests {
  @Test func `a command is an array of bulk strings`() {
    let command = RESPCommand([Array("SET".utf8), [0, 13, 10], []])
    #expect(command.encoded == Array("*3\r\n$3\r\nSET\r\n$3\r\n\0\r\n\r\n$0\r\n\r\n".utf8))
  }

  @Test(arguments: [
    (["get", "key"], "GET"),
    (["CONFIG", "GET", "requirepass"], "CONFIG GET"),
    (["AUTH", "user", "secret"], "AUTH"),
    (["AUTH", "secret"], "AUTH"),
    (["SET", "GET", "secret"], "SET"),
    (["ACL"], "ACL"),
    (["CONFIG", "a secret, by mistake"], "CONFIG"),
    (["a secret, by mistake"], "(unnamed)"),
    ([], "(unnamed)"),
  ])
  func `the name is a word or two and never an argument`(words: [String], name: String) {
    let command = RESPCommand(words.map { Array($0.utf8) })
    #expect(command.name == name)
    #expect("\(command)" == name)
    var dumped = ""
    dump(command, to: &dumped)
    #expect(!dumped.contains("secret"))
  }
}

@Suite struct RedactionTests {
  @Test func `a password is in no description, dump or mirror`() {
    let credentials = RedisCredentials(username: "backup", password: Array("hunter2".utf8))
    var texts = ["\(credentials)", String(reflecting: credentials), "\([credentials])"]
    var dumped = ""
    dump(credentials, to: &dumped)
    texts.append(dumped)
    for text in texts {
      #expect(text.contains("backup"))
      #expect(!text.contains("hunter2"))
      // The bytes as numbers.
      #expect(!text.contains("104"))
    }
  }

  @Test func `an error line is bounded and safe to print`() {
    let line = Array("ERR ".utf8) + [27, 0xFF] + [UInt8](repeating: 0x61, count: 1_000)
    let error = RedisServerError(line: line)
    #expect(error.code == "ERR")
    #expect(error.message.utf8.count == 512)
    #expect(error.message.hasPrefix("ERR \u{FFFD}\u{FFFD}aaa"))
  }

  @Test func `descriptions are facts in lower case`() {
    let address = RedisAddress(host: "::1", port: 6379)
    let error = RedisServerError("ERR x")
    #expect(
      [
        RedisError.cannotConnect(address, reason: "connection refused"),
        .connectTimedOut(address), .tlsFailed(reason: "no such file"),
        .authenticationFailed(error), .passwordRequired, .server(error),
        .timedOut(command: "INFO", after: .seconds(2)), .connectionClosed(command: "INFO"),
        .connectionClosed(command: nil), .protocolViolation(RESPError(.lineTooLong, byteOffset: 7)),
        .unexpectedReply(command: "INFO"),
      ].map(\.description) == [
        "no connection to [::1]:6379: connection refused", "no connection to [::1]:6379 in time",
        "TLS failed: no such file", "the server did not accept the credentials: ERR x",
        "the server requires a password", "the server answered: ERR x",
        "no reply to INFO within 2.0 seconds", "the connection closed before the reply to INFO",
        "the connection closed", "not a valid reply: line too long at byte 7",
        "unexpected form of the reply to INFO",
      ])
  }
}
