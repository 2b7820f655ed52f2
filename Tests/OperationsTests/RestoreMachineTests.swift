import FoundationEssentials
import RDBFormat
import RedisClient
import Targets
import TestSupport
import Testing

@testable import Operations

enum RestoreSample {
  static func status(_ lines: String...) -> ServerStatus {
    ServerStatus(
      info: ([
        "redis_version:7.0.15", "redis_mode:standalone", "role:master", "connected_slaves:0",
        "run_id:abc", "aof_enabled:1",
      ] + lines).joined(separator: "\r\n"))
  }

  static func facts(
    status: ServerStatus = status(), appendOnly: Bool = true, parts: Bool = true
  ) -> RestoreFacts {
    RestoreFacts(
      status: status,
      settings: ServerSettings(
        directory: "/data", dumpFileName: "dump.rdb", appendOnly: appendOnly,
        appendFileName: "appendonly.aof", appendDirectoryName: parts ? "appendonlydir" : nil,
        save: "900 1", minReplicasToWrite: "0", minReplicasMaxLag: "10", databases: 16),
      nextStart: NextStart(settings: ["appendonly": appendOnly ? "yes" : "no", "dir": "/data"]),
      appendManifest: AOFManifest(files: [
        AOFManifest.File(name: "appendonly.aof.7.base.rdb", sequence: 7, type: "b")
      ]), obstacles: [], freeByteCount: 1 << 30, dumpByteCount: 1000, modules: [],
      identity: "raibid-redis/raibid-redis-master-0")
  }

  static func candidate(
    version: Int = 10, format: RDBFormatName = .redis, writer: String = "7.0.15",
    modules: [String] = [], database: UInt64 = 0,
    source: String? = "raibid-redis/raibid-redis-master-0"
  ) -> RestoreCandidate {
    let summary = RDBSummary(
      format: format, version: version, byteCount: 1000, crc64: 1, checksum: .valid,
      aux: [format == .redis ? "redis-ver" : "valkey-ver": writer], verdict: .valid,
      content: RDBContent(
        keys: 1, expires: 0, databases: [DatabaseSummary(index: database, keys: 1, expires: 0)],
        types: TypeCounts(string: 1), functions: 0, streamsTotal: 0, streams: []),
      moduleNames: modules, largestKeys: [], findings: [])
    return RestoreCandidate(
      path: "/b/x.rdb.gz", name: "x", fileDigest: "f", dumpDigest: "d", summary: summary,
      source: source)
  }
}

struct RestoreMachineTests {
  private func steps(
    _ facts: RestoreFacts, _ options: RestoreMachine.Options = .init()
  ) throws -> [RestoreStep] {
    try RestoreMachine.plan(facts, RestoreSample.candidate(), options, stamp: "S")
      .stages.flatMap(\.steps)
  }

  @Test func `with an append-only file the writes are refused before it is closed and swapped`()
    throws
  {
    #expect(
      try steps(RestoreSample.facts()) == [
        .beginJournal, .stageBackup, .compareDigest, .refuseWrites, .takeSafetyBackup,
        .stopPersisting, .keepOldFiles, .swap, .confirmSwap, .restart, .awaitServer, .compareData,
        .acceptWrites, .removeOldFiles, .endJournal,
      ])
  }

  @Test func `without one the present data is saved even when no safety backup is wanted`() throws {
    let options = RestoreMachine.Options(safetyBackup: false, keepsOldFiles: true)
    #expect(
      try steps(RestoreSample.facts(appendOnly: false), options) == [
        .beginJournal, .stageBackup, .compareDigest, .refuseWrites, .saveOldData, .stopPersisting,
        .keepOldFiles, .swap, .confirmSwap, .restart, .awaitServer, .compareData, .acceptWrites,
        .removeOldNames, .endJournal,
      ])
  }

  @Test func `parts get a sequence number that the old server cannot reach`() throws {
    let files = try RestoreMachine.plan(
      RestoreSample.facts(), RestoreSample.candidate(), .init(), stamp: "S"
    ).files
    #expect(files.live == "/data/appendonlydir/appendonly.aof.manifest")
    #expect(files.stagedDump == "/data/appendonlydir/appendonly.aof.1007.base.rdb")
    #expect(files.replacement == "/data/appendonlydir/appendonly.aof.manifest.restore")
    #expect(files.kept == "/data/appendonlydir.before-S")
    #expect(
      files.stagedTexts.last?.text == """
        file appendonly.aof.1007.base.rdb seq 1007 type b
        file appendonly.aof.1007.incr.aof seq 1007 type i

        """)
  }

  @Test func `one file is replaced by the backup itself`() throws {
    let plan = { (facts: RestoreFacts) in
      try RestoreMachine.plan(facts, RestoreSample.candidate(), .init(), stamp: "S").files
    }
    let single = try plan(RestoreSample.facts(parts: false))
    #expect(single.live == "/data/appendonly.aof" && single.layout == .singleFileAOF)
    let snapshot = try plan(RestoreSample.facts(appendOnly: false))
    #expect(snapshot.replacement == "/data/dump.rdb.restore")
    #expect(snapshot.kept == "/data/dump.rdb.before-S")
  }

  @Test(arguments: [
    ("role:slave", RestoreRefusal.notAMaster(role: "slave")),
    ("connected_slaves:2", .replicasConnected(2)),
    ("redis_mode:cluster", .mode("cluster")),
    ("redis_mode:sentinel", .mode("sentinel")),
  ])
  func `a server that is not alone is refused`(line: String, refusal: RestoreRefusal) {
    var facts = RestoreSample.facts()
    facts.status = RestoreSample.status(line)
    #expect(throws: refusal) { try steps(facts) }
  }

  @Test(arguments: [
    ("appendonly", "no"), ("dbfilename", "other.rdb"), ("appendfilename", "x.aof"),
    ("appenddirname", "elsewhere"), ("dir", "/other"),
  ])
  func `a next start that reads other files is refused`(name: String, value: String) {
    var facts = RestoreSample.facts()
    var settings = facts.nextStart?.settings ?? [:]
    settings[name] = value
    facts.nextStart = NextStart(settings: settings)
    let error = #expect(throws: RestoreRefusal.self) { try steps(facts) }
    guard case .nextStartDiffers(name, _, value)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `a next start that answers elsewhere is refused`() throws {
    var facts = RestoreSample.facts()
    facts.status = RestoreSample.status("tcp_port:7000")
    for (port, isRefused) in [("7001", true), ("7000", false), ("0", false), ("$(PORT)", false)] {
      var settings = facts.nextStart?.settings ?? [:]
      settings["port"] = port
      facts.nextStart = NextStart(settings: settings)
      let refusal = RestoreRefusal.nextStartDiffers(setting: "port", running: "7000", next: port)
      if isRefused {
        #expect(throws: refusal) { try steps(facts) }
      } else {
        #expect(try !steps(facts).isEmpty)
      }
    }
  }

  @Test(arguments: [
    ("replicaof 10.0.0.1 6379", true), ("slaveof 10.0.0.1 6379", true), ("replicaof no one", false),
  ])
  func `a next start as a replica is refused`(line: String, isRefused: Bool) async throws {
    try await withTemporaryDirectory { directory in
      let file = directory + "/redis.conf"
      var facts = RestoreSample.facts()
      try Data("include conf.d/*.conf\ndir /data\n\(line)\n".utf8).write(to: URL(filePath: file))
      facts.nextStart = try await NextStart.read(file: file, arguments: [], from: LocalVolume())
      if isRefused {
        #expect(throws: RestoreRefusal.nextStartFollows("10.0.0.1 6379")) { try steps(facts) }
      } else {
        #expect(try !steps(facts).isEmpty)
      }
    }
  }

  @Test func `a next start with fewer databases is refused`() {
    var facts = RestoreSample.facts()
    facts.nextStart = NextStart(settings: ["appendonly": "YES", "databases": "4"])
    #expect(throws: RestoreRefusal.tooFewDatabases(needed: 11, configured: 4)) {
      try RestoreMachine.plan(
        facts, RestoreSample.candidate(database: 10), .init(), stamp: "S")
    }
    #expect(throws: Never.self) {
      try RestoreMachine.plan(facts, RestoreSample.candidate(database: 3), .init(), stamp: "S")
    }
  }

  @Test func `a file that is included by an argument is read`() async throws {
    try await withTemporaryDirectory { directory in
      let file = directory + "/more.conf"
      try Data("appendonly yes\n".utf8).write(to: URL(filePath: file))
      var facts = RestoreSample.facts()
      facts.nextStart = try await NextStart.read(
        file: "", arguments: ["redis-server", "--dir", "/data", "--include", file],
        from: LocalVolume())
      #expect(facts.nextStart?.settings["appendonly"] == "yes")
      #expect(try !steps(facts).isEmpty)
    }
  }

  @Test func `a next start that asks for a password is refused to who has none`() async throws {
    try await withTemporaryDirectory { directory in
      let file = directory + "/redis.conf"
      var facts = RestoreSample.facts()
      for (lines, isRefused) in [
        ("requirepass secret", true), ("requirepass \"\"", false),
        ("requirepass secret\naclfile /users.acl", false),
      ] {
        try Data("include conf.d/*.conf\n\(lines)\ndir /data\n".utf8)
          .write(to: URL(filePath: file))
        facts.nextStart = try await NextStart.read(file: file, arguments: [], from: LocalVolume())
        facts.login = RestoreLogin(RedisCredentials(password: Array("secret".utf8)))
        #expect(try !steps(facts).isEmpty)
        facts.login = nil
        if isRefused {
          #expect(throws: RestoreRefusal.nextStartAsksForPassword) { try steps(facts) }
        } else {
          #expect(try !steps(facts).isEmpty)
        }
        #expect(!"\(facts)".contains("secret"))
      }
    }
  }

  @Test(
    arguments: [
      ("requirepass old", nil, RestoreRefusal.nextStartHasOtherPassword),
      ("requirepass new", nil, nil), ("requirepass $(PASSWORD)", nil, nil),
      ("requirepass old\nuser default on >new ~* &* +@all", nil, nil),
      ("requirepass old", "bob", .nextStartLacksUser("bob")),
      ("user bob on >new ~* &* +@all", "bob", nil), ("aclfile /users.acl", "bob", nil),
      ("include conf.d/*.conf", "bob", nil),
    ] as [(String, String?, RestoreRefusal?)])
  func `a next start that will not take this login is refused`(
    lines: String, user: String?, refusal: RestoreRefusal?
  ) async throws {
    try await withTemporaryDirectory { directory in
      let file = directory + "/redis.conf"
      try Data("\(lines)\ndir /data\nappendonly yes\n".utf8).write(to: URL(filePath: file))
      var facts = RestoreSample.facts()
      facts.login = RestoreLogin(
        RedisCredentials(username: user, password: Array("new".utf8)))
      facts.nextStart = try await NextStart.read(file: file, arguments: [], from: LocalVolume())
      if let refusal {
        #expect(throws: refusal) { try steps(facts) }
      } else {
        #expect(try !steps(facts).isEmpty)
      }
    }
  }

  @Test func `what an include that cannot be read may say is no reason to refuse`() async throws {
    try await withTemporaryDirectory { directory in
      let file = directory + "/redis.conf"
      try Data("include conf.d/*.conf\ndir /data\n".utf8).write(to: URL(filePath: file))
      var facts = RestoreSample.facts()
      facts.nextStart = try await NextStart.read(file: file, arguments: [], from: LocalVolume())
      #expect(facts.nextStart?.isComplete == false)
      #expect(try !steps(facts).isEmpty)
    }
  }

  @Test func `an archive of another Redis is refused unless that is wanted`() throws {
    let other = RestoreSample.candidate(source: "staging/redis-0")
    #expect(
      throws: RestoreRefusal.otherSource(
        archive: "staging/redis-0", target: "raibid-redis/raibid-redis-master-0")
    ) { try RestoreMachine.plan(RestoreSample.facts(), other, .init(), stamp: "S") }
    _ = try RestoreMachine.plan(
      RestoreSample.facts(), other, RestoreMachine.Options(fromOtherSource: true), stamp: "S")
    _ = try RestoreMachine.plan(
      RestoreSample.facts(), RestoreSample.candidate(source: nil), .init(), stamp: "S")
  }

  @Test func `obstacles, missing room, modules and databases are refused`() {
    var facts = RestoreSample.facts()
    facts.obstacles = [.podWithoutController(pod: "p")]
    #expect(throws: RestoreRefusal.obstacle(.podWithoutController(pod: "p"))) { try steps(facts) }
    facts = RestoreSample.facts()
    facts.freeByteCount = 1000
    #expect(throws: RestoreRefusal.noRoom(need: 3000 + (1 << 20), free: 1000)) { try steps(facts) }
    facts = RestoreSample.facts()
    facts.appendManifest = nil
    #expect(
      throws: RestoreRefusal.appendManifestUnreadable(
        path: "/data/appendonlydir/appendonly.aof.manifest")
    ) { try steps(facts) }
    #expect(throws: RestoreRefusal.modulesMissing(["ReJSON-RL"])) {
      try RestoreMachine.plan(
        RestoreSample.facts(), RestoreSample.candidate(modules: ["ReJSON-RL"]), .init(), stamp: "S")
    }
    #expect(throws: RestoreRefusal.tooFewDatabases(needed: 21, configured: 16)) {
      try RestoreMachine.plan(
        RestoreSample.facts(), RestoreSample.candidate(database: 20), .init(), stamp: "S")
    }
  }

  @Test(
    arguments: [
      // The dump is that of the present data.
      (["rdb_changes_since_last_save:0", "used_memory:9000"], false, 2000),
      // It may be older.
      (["rdb_changes_since_last_save:0", "used_memory:9000"], true, 19000),
      (["rdb_changes_since_last_save:1", "used_memory:9000"], true, 19000),
      (
        ["rdb_changes_since_last_save:1", "used_memory:9000", "aof_current_size:5000"], true, 11000
      ),
      (
        ["rdb_changes_since_last_save:1", "used_memory:9000", "aof_current_size:5000"], false, 10000
      ),
    ] as [([String], Bool, UInt64)])
  func `the room that is needed is that of the present data, whatever the dump on the volume`(
    lines: [String], appendOnly: Bool, need: UInt64
  ) {
    var facts = RestoreSample.facts(appendOnly: appendOnly)
    facts.status = ServerStatus(info: lines.joined(separator: "\r\n"))
    let summary = RestoreSample.candidate().summary
    #expect(RestoreMachine.neededByteCount(summary, facts, .init()) == need + (1 << 20))
  }

  @Test func `without a safety backup an append-only file needs room for its rewrite alone`() {
    let facts = RestoreSample.facts()
    let options = RestoreMachine.Options(safetyBackup: false)
    let summary = RestoreSample.candidate().summary
    #expect(RestoreMachine.neededByteCount(summary, facts, options) == 2000 + (1 << 20))
  }

  @Test(arguments: [
    (RestorePhase.begun, true, true, RestorePhase.begun), (.kept, true, true, .kept),
    (.swapped, true, true, .kept), (.swapped, false, true, .swapped),
    (.swapped, false, false, .served), (.served, false, true, .swapped),
    (.served, false, false, .served), (.served, true, false, .kept),
    (.committed, false, false, .committed),
  ])
  func `an interrupted restore stands where its files and the server's process say`(
    entered: RestorePhase, replacementIsThere: Bool, isOldProcess: Bool, phase: RestorePhase
  ) {
    #expect(
      RestoreMachine.phase(
        entered: entered, replacementIsThere: replacementIsThere, isOldProcess: isOldProcess)
        == phase)
  }

  @Test func `the way back never accepts writes before the old data is safe`() {
    for phase in RestorePhase.allCases where phase != .committed {
      for answers in [true, false] {
        let way = RestoreMachine.rollback(from: phase, serverAnswers: answers)
        #expect(!way.undo.contains(.acceptWrites), "\(phase)")
        #expect(way.tidy.last == .endJournal, "\(phase)")
        #expect(!way.tidy.contains(.removeOldFiles), "\(phase)")
      }
    }
  }

  @Test func `what has been committed is only tidied up`() {
    #expect(RestoreMachine.rollback(from: .committed).undo.isEmpty)
    let stages = RestoreMachine.resumption(
      at: .committed, RestoreMachine.stages(.snapshot, .init()))
    #expect(stages.flatMap(\.steps) == [.acceptWrites, .removeOldFiles, .endJournal])
  }

  @Test func `old files that shall stay are not tidied up`() {
    let way = RestoreMachine.rollback(from: .committed, keepsOldFiles: true)
    #expect(way.tidy == [.acceptWrites, .removeOldNames, .endJournal])
  }

  @Test func `a restore is taken up where it stands`() {
    let stages = RestoreMachine.stages(.multiPartAOF, .init())
    #expect(
      RestoreMachine.resumption(at: .swapped, stages).first?.steps
        == [.confirmSwap, .restart, .awaitServer, .compareData])
    #expect(
      RestoreMachine.resumption(at: .served, stages).first?.steps == [.awaitServer, .compareData])
  }
}

struct LoadableVersionsTests {
  @Test(arguments: [
    ("redis_version:6.2.14", 9, RDBFormatName.redis, true),
    ("redis_version:6.2.14", 10, .redis, false), ("redis_version:7.0.15", 10, .redis, true),
    ("redis_version:7.0.15", 11, .redis, false), ("redis_version:7.2.4", 11, .redis, true),
    ("redis_version:7.4.1", 12, .redis, true), ("redis_version:8.2.2", 12, .redis, true),
    ("redis_version:8.2.2", 13, .redis, false), ("redis_version:8.6.2", 13, .redis, true),
    ("redis_version:8.6.2", 14, .redis, false), ("redis_version:8.8.0", 14, .redis, true),
    ("redis_version:8.6.2", 80, .valkey, false),
    ("redis_version:7.2.4\r\nvalkey_version:8.1.1", 11, .redis, true),
    ("redis_version:7.2.4\r\nvalkey_version:8.1.1", 12, .redis, false),
    ("redis_version:7.2.4\r\nvalkey_version:8.1.1", 80, .valkey, false),
    ("redis_version:7.2.4\r\nvalkey_version:9.0.0", 80, .valkey, true),
    ("redis_version:7.2.4\r\nvalkey_version:9.1.2", 12, .redis, false),
  ])
  func `the table of what servers load`(
    info: String, version: Int, format: RDBFormatName, loads: Bool
  ) {
    let summary = RestoreSample.candidate(version: version, format: format, writer: "99.0").summary
    #expect(LoadableVersions(of: ServerStatus(info: info)).include(summary) == loads)
  }

  @Test func `a server loads what the same version of it wrote, in the table or not`() {
    let summary = RestoreSample.candidate(version: 15, writer: "9.9.1").summary
    #expect(LoadableVersions(of: ServerStatus(info: "redis_version:9.9.1")).include(summary))
    #expect(!LoadableVersions(of: ServerStatus(info: "redis_version:9.8.0")).include(summary))
  }

  @Test func `vector sets come with Redis 8`() {
    let load = { ModuleTypes.isLoadable("vectorset", by: ServerStatus(info: $0), modules: []) }
    #expect(load("redis_version:8.0.2") && !load("redis_version:7.4.1"))
    #expect(!load("redis_version:7.2.4\r\nvalkey_version:9.1.2"))
  }
}
