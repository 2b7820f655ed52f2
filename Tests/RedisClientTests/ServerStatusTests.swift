import RedisClient
import Testing

@Suite struct ServerStatusTests {
  @Test(arguments: [
    ("redis-6.2", ServerStatus.Product.redis, "6.2.14", nil),
    ("redis-7.0", .redis, "7.0.15", 1),
    ("redis-7.4", .redis, "7.4.1", 1),
    ("redis-8.0", .redis, "8.0.2", 1),
    ("redis-8.6", .redis, "8.6.2", 1),
    ("valkey-8.1", .valkey, "8.1.1", 1),
    ("valkey-9.1", .valkey, "9.1.2", 1),
  ])
  func `the INFO of each version is understood`(
    name: String, product: ServerStatus.Product, version: String, rdbSaves: Int64?
  ) throws {
    let status = ServerStatus(info: try fixture("info-\(name).txt"))
    #expect(status.product == product)
    #expect(status.version == version)
    #expect(status.mode == .standalone)
    #expect(status.role == .master)
    #expect(status.runID?.count == 40)
    #expect(status.rdbSaves == rdbSaves)
    #expect(status.loading == false)
    #expect(status.aofEnabled == true)
    #expect(status.rdbSaveInProgress == false)
    #expect(status.lastBackgroundSaveSucceeded == true)
    #expect(status.lastAOFRewriteSucceeded == true)
    #expect(status.maxMemory == 104_857_600)
    #expect(status.maxMemoryPolicy == "noeviction")
    #expect(status.connectedReplicas == 0)
    #expect(status.masterLinkStatus == nil)
    #expect(
      status.keyspace == [
        DatabaseKeyspace(index: 0, keys: 4, expires: 1),
        DatabaseKeyspace(index: 3, keys: 2, expires: 0),
      ])
  }

  @Test func `every field is read`() throws {
    let status = ServerStatus(info: try fixture("info-redis-7.0.txt"))
    #expect(status.processID == 6828)
    #expect(status.tcpPort == 22_002)
    #expect(status.serverTime == .microseconds(1_795_499_547_968_365))
    #expect(status.configFile == "/etc/redis/redis.conf")
    #expect(status.executable == "/usr/bin/redis-server")
    #expect(status.loadingLoadedPercent == nil)
    #expect(status.loadingLoadedBytes == nil)
    #expect(status.rdbChangesSinceLastSave == 0)
    #expect(status.rdbLastSaveTime == .seconds(1_795_499_547))
    #expect(status.lastCopyOnWriteByteCount == 454_656)
    #expect(status.currentSaveKeysProcessed == 0)
    #expect(status.currentSaveKeysTotal == 0)
    #expect(status.currentCopyOnWriteByteCount == 0)
    #expect(status.aofRewriteInProgress == false)
    #expect(status.aofRewriteScheduled == false)
    #expect(status.usedMemory == 1_271_336)
    #expect(status.usedMemoryRSS == 12_726_272)
    #expect(status.expiredKeys == 0)
    #expect(status.evictedKeys == 0)
    #expect(status.rdbLastLoadKeysLoaded == 0)
    #expect(status.rdbLastLoadKeysExpired == 0)
    #expect(status.connectedClients == 1)
    #expect(status.replicationID == "39aa111c44ed28f9c5c212f854ec6c5cc2aa5b22")
    #expect(status.replicationOffset == 0)
  }

  @Test func `a replica that loads is understood`() {
    let status = ServerStatus(
      info: """
        redis_version:7.0.15\r
        redis_mode:cluster\r
        role:slave\r
        master_link_status:down\r
        master_replid:39aa111c44ed28f9c5c212f854ec6c5cc2aa5b22\r
        slave_repl_offset:41\r
        master_repl_offset:40\r
        loading:1\r
        loading_loaded_perc:12.50\r
        loading_loaded_bytes:4096\r
        config_file:\r
        """)
    #expect(status.mode == .cluster)
    #expect(status.role == .replica)
    #expect(status.masterLinkStatus == "down")
    #expect(status.replicationID == "39aa111c44ed28f9c5c212f854ec6c5cc2aa5b22")
    #expect(status.replicationOffset == 41)
    #expect(status.loading == true)
    #expect(status.loadingLoadedPercent == 12.5)
    #expect(status.loadingLoadedBytes == 4096)
    #expect(status.configFile == nil)
  }

  @Test(arguments: [
    "", ":", "\r\n\r\n", "db0", "db0:", "db0:keys", "dbx:keys=1,expires=1", "db-1:keys=1,expires=1",
    "db0:keys=99999999999999999999,expires=1", "process_id:99999999999", "loading:yes",
    "server_time_usec:", "# Server\nnonsense", "rdb_saves:1.5",
  ])
  func `what cannot be read is absent`(info: String) {
    #expect(ServerStatus(info: info) == ServerStatus(info: ""))
  }

  @Test func `the keyspace is in ascending order`() {
    let status = ServerStatus(info: "db10:keys=1,expires=0,new=7\ndb2:keys=3,expires=2")
    #expect(
      status.keyspace == [
        DatabaseKeyspace(index: 2, keys: 3, expires: 2),
        DatabaseKeyspace(index: 10, keys: 1, expires: 0),
      ])
  }
}
