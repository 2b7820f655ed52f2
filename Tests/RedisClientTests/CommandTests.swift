import RedisClient
import TestSupport
import Testing

@Suite struct CommandTests {
  @Test(arguments: ServerVersion.available)
  func `the status follows the server`(version: ServerVersion) async throws {
    try await withRealServer(version, configuration: ["appendonly yes", "save \"\""]) { server in
      try await server.cli(
        input: """
          SET a 1
          SET b 1 EX 1000
          SELECT 5
          SET c 1
          """)
      let status = try await server.withConnection { try await $0.status(timeout: patience) }
      #expect(status.product == (version.isValkey ? .valkey : .redis))
      #expect(status.version?.hasPrefix("\(version.major).\(version.minor).") == true)
      #expect(status.mode == .standalone)
      #expect(status.processID == server.processID)
      #expect(status.tcpPort == server.port)
      #expect(status.configFile == server.configurationFile)
      #expect(status.aofEnabled == true)
      #expect(status.rdbChangesSinceLastSave == 3)
      #expect((status.rdbSaves == nil) == !version.isAtLeast(7, 0))
      #expect(
        status.keyspace == [
          DatabaseKeyspace(index: 0, keys: 2, expires: 1),
          DatabaseKeyspace(index: 5, keys: 1, expires: 0),
        ])
    }
  }

  @Test(arguments: ServerVersion.available)
  func `settings are read and changed by name`(version: ServerVersion) async throws {
    try await withRealServer(version, configuration: ["save 900 1"]) { server in
      try await server.withConnection { connection in
        let values = try await connection.configuration(
          ["dir", "save", "no-such-setting", "*", "maxmemory"], timeout: patience)
        #expect(values == ["dir": server.directory, "save": "900 1", "maxmemory": "0"])
        try await connection.setConfiguration("save", to: "", timeout: patience)
        let save = try await connection.configuration(["save"], timeout: patience)
        #expect(save == ["save": ""])
        let error = await #expect(throws: RedisError.self) {
          try await connection.setConfiguration("maxmemory", to: "much", timeout: patience)
        }
        #expect(error?.reply?.code == "ERR")
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a stream with groups is described`(version: ServerVersion) async throws {
    let isOld = !version.isAtLeast(7, 0)
    try await withRealServer(version) { server in
      try await server.cli(
        input: """
          XADD jobs 1-0 f v
          XADD jobs 2-0 f v
          XADD jobs 3-1 f v
          XADD jobs 4-0 f v
          XGROUP CREATE jobs workers 0
          XGROUP CREATE jobs "late \\x00\\xff" $
          XREADGROUP GROUP workers alice COUNT 2 STREAMS jobs >
          XREADGROUP GROUP workers bob COUNT 1 STREAMS jobs >
          XACK jobs workers 1-0
          XDEL jobs 1-0 4-0
          """)
      let state = try await server.withConnection {
        try await $0.streamState(key: Array("jobs".utf8), timeout: patience)
      }
      let late = StreamState.Group(
        name: Array("late \0".utf8) + [0xFF], lastDeliveredID: "4-0", entriesRead: nil, pending: 0,
        consumers: [])
      let workers = StreamState.Group(
        name: Array("workers".utf8), lastDeliveredID: "3-1", entriesRead: isOld ? nil : 3,
        pending: 2,
        consumers: [
          StreamState.Consumer(name: Array("alice".utf8), pending: 1),
          StreamState.Consumer(name: Array("bob".utf8), pending: 1),
        ])
      #expect(
        state
          == StreamState(
            length: 2, firstID: "2-0", lastID: "3-1", lastGeneratedID: "4-0",
            maxDeletedID: isOld ? nil : "4-0", entriesAdded: isOld ? nil : 4,
            groups: [late, workers]))
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a stream without entries has no first and last`(version: ServerVersion) async throws {
    let isOld = !version.isAtLeast(7, 0)
    try await withRealServer(version) { server in
      try await server.cli(
        input: """
          XADD emptied 7-1 f v
          XDEL emptied 7-1
          XGROUP CREATE made workers 5-0 MKSTREAM
          """)
      try await server.withConnection { connection in
        let emptied = try await connection.streamState(
          key: Array("emptied".utf8), timeout: patience)
        #expect(
          emptied
            == StreamState(
              length: 0, firstID: nil, lastID: nil, lastGeneratedID: "7-1",
              maxDeletedID: isOld ? nil : "7-1", entriesAdded: isOld ? nil : 1, groups: []))
        let made = try await connection.streamState(key: Array("made".utf8), timeout: patience)
        #expect(made?.lastGeneratedID == "0-0")
        #expect(made?.groups.map(\.lastDeliveredID) == ["5-0"])
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `a key that is no stream is told`(version: ServerVersion) async throws {
    try await withRealServer(version) { server in
      try await server.cli("SET", "text", "value")
      try await server.withConnection { connection in
        let missing = try await connection.streamState(
          key: Array("missing".utf8), timeout: patience)
        #expect(missing == nil)
        let error = await #expect(throws: RedisError.self) {
          try await connection.streamState(key: Array("text".utf8), timeout: patience)
        }
        #expect(error?.reply?.code == "WRONGTYPE")
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `the right to XINFO is enough to describe a stream`(version: ServerVersion) async throws {
    try await withRealServer(version) { server in
      let pattern = version.isAtLeast(7, 0) ? "%R~jobs" : "~jobs"
      try await server.cli(
        input: """
          XGROUP CREATE jobs workers 0 MKSTREAM
          XGROUP CREATECONSUMER jobs workers alice
          ACL SETUSER watcher on >secret resetkeys \(pattern) -@all +xinfo
          """)
      let watcher = RedisCredentials(username: "watcher", password: Array("secret".utf8))
      try await server.withConnection(as: watcher) { connection in
        let state = try await connection.streamState(key: Array("jobs".utf8), timeout: patience)
        #expect(state?.groups.first?.consumers.count == 1)
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `databases are told apart`(version: ServerVersion) async throws {
    try await withRealServer(version) { server in
      try await server.withConnection { connection in
        try await connection.select(database: 3, timeout: patience)
        _ = try await connection.send("XADD", "jobs", "1-0", "f", "v", timeout: patience)
        let here = try await connection.streamState(key: Array("jobs".utf8), timeout: patience)
        #expect(here?.length == 1)
        try await connection.select(database: 0, timeout: patience)
        let there = try await connection.streamState(key: Array("jobs".utf8), timeout: patience)
        #expect(there == nil)
        let error = await #expect(throws: RedisError.self) {
          try await connection.select(database: 1_000, timeout: patience)
        }
        #expect(error?.reply?.message == "ERR DB index is out of range")
      }
    }
  }

  @Test(arguments: ServerVersion.available)
  func `libraries of functions are counted`(version: ServerVersion) async throws {
    try await withRealServer(version) { server in
      try await server.withConnection { connection in
        let before = try await connection.functionLibraryCount(timeout: patience)
        #expect(before == (version.isAtLeast(7, 0) ? 0 : nil))
        guard version.isAtLeast(7, 0) else { return }
        let library = """
          #!lua name=mylib
          redis.register_function('f', function() return 1 end)
          """
        _ = try await connection.send("FUNCTION", "LOAD", library, timeout: patience)
        let after = try await connection.functionLibraryCount(timeout: patience)
        #expect(after == 1)
      }
    }
  }
}
