extension RedisConnection {
  /// What the server tells of itself.
  public func status(timeout: Duration) async throws -> ServerStatus {
    let command = RESPCommand(words: "INFO")
    return try await value(of: command, timeout: timeout) { reply in
      reply.text.map { ServerStatus(info: $0) }
    }
  }

  /// The values of settings by name; a name that the server does not know is absent.
  ///
  /// One command for each name, because 6.2 takes only one.
  ///
  /// - Parameters:
  ///   - names: In lower case, without wildcards.
  ///   - timeout: For each command.
  public func configuration(
    _ names: [String], timeout: Duration
  ) async throws -> [String: String] {
    var values: [String: String] = [:]
    for name in names {
      let command = RESPCommand(words: "CONFIG", "GET", name)
      values[name] = try await value(of: command, timeout: timeout) { reply in
        guard let pairs = reply.array else { return nil }
        guard pairs.count == 2, pairs[0].text == name else { return .some(nil) }
        return pairs[1].text
      }
    }
    return values
  }

  /// Changes a setting of the running server.
  public func setConfiguration(
    _ name: String, to value: String, timeout: Duration
  ) async throws {
    try await expectOK(RESPCommand(words: "CONFIG", "SET", name, value), timeout: timeout)
  }

  /// Where the stream at a key of the selected database stands, or nil when there is no such key.
  ///
  /// Several commands, so what is written meanwhile may be in one part and not in the other; a group
  /// that is destroyed meanwhile is left out.
  ///
  /// - Parameter timeout: For each command.
  /// - Throws: ``RedisError/server(_:)`` with the code `WRONGTYPE` when the key holds no stream.
  public func streamState(key: [UInt8], timeout: Duration) async throws -> StreamState? {
    do {
      let stream = try await send(Self.xinfo("STREAM", key), timeout: timeout)
      var groups = try await elements(of: Self.xinfo("GROUPS", key), timeout: timeout) {
        StreamState.Group($0)
      }
      for index in groups.indices.reversed() {
        let command = Self.xinfo("CONSUMERS", key, groups[index].name)
        do {
          let consumers = try await elements(of: command, timeout: timeout) {
            StreamState.Consumer($0)
          }
          groups[index] = groups[index].with(consumers)
        } catch RedisError.server(let error) where error.code == "NOGROUP" {
          groups.remove(at: index)
        }
      }
      guard let state = StreamState(stream, groups: groups) else {
        throw RedisError.unexpectedReply(command: "XINFO STREAM")
      }
      return state
    } catch RedisError.server(let error) where error.message.hasPrefix("ERR no such key") {
      return nil
    }
  }

  /// Makes the next commands act on another database.
  public func select(database: Int, timeout: Duration) async throws {
    try await expectOK(RESPCommand(words: "SELECT", "\(database)"), timeout: timeout)
  }

  /// How many libraries of functions the server holds, or nil where it has none, before 7.0.
  public func functionLibraryCount(timeout: Duration) async throws -> Int? {
    do {
      let command = RESPCommand(words: "FUNCTION", "LIST")
      return try await value(of: command, timeout: timeout) { $0.array?.count }
    } catch RedisError.server(let error) where error.message.hasPrefix("ERR unknown command") {
      return nil
    }
  }
}

extension RedisConnection {
  private static func xinfo(_ what: String, _ arguments: [UInt8]...) -> [[UInt8]] {
    [Array("XINFO".utf8), Array(what.utf8)] + arguments
  }

  /// Sends a command and reads its reply by `read`, which returns nil for another form.
  private func value<Value>(
    of command: RESPCommand, timeout: Duration, read: (RESPValue) -> Value?
  ) async throws -> Value {
    guard let value = read(try await send(command.arguments, timeout: timeout)) else {
      throw RedisError.unexpectedReply(command: command.name)
    }
    return value
  }

  private func elements<Element>(
    of arguments: [[UInt8]], timeout: Duration, read: (RESPValue) -> Element?
  ) async throws -> [Element] {
    let command = RESPCommand(arguments)
    return try await value(of: command, timeout: timeout) { reply in
      guard let array = reply.array else { return nil }
      let elements = array.compactMap(read)
      return elements.count == array.count ? elements : nil
    }
  }

  private func expectOK(_ command: RESPCommand, timeout: Duration) async throws {
    try await value(of: command, timeout: timeout) { $0 == .simple("OK") ? () : nil }
  }
}

extension RESPCommand {
  fileprivate init(words: String...) {
    self.init(words.map { Array($0.utf8) })
  }
}
