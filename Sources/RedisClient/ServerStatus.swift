/// What a server tells of itself by INFO.
///
/// A field that the server's version does not have, or that cannot be read, is nil. Points in time
/// are given as the time since 1970-01-01 00:00 UTC by the server's own clock.
///
/// Source: the command INFO of Redis 6.2 to 8.6 and Valkey 8.1 to 9.1.
public struct ServerStatus: Sendable, Equatable {
  /// Which server it is.
  public enum Product: String, Sendable {
    /// Redis, or one that claims to be.
    case redis
    /// Valkey.
    case valkey
  }

  /// How it is run.
  public enum Mode: String, Sendable {
    /// One server, with or without replicas.
    case standalone
    /// A Sentinel, which holds no data.
    case sentinel
    /// A node of a cluster.
    case cluster
  }

  /// Its part in replication.
  public enum Role: String, Sendable {
    /// It takes writes.
    case master
    /// It copies a master.
    case replica = "slave"
  }

  /// Which server it is.
  public let product: Product?
  /// The version of that product, such as `7.0.15` or, of Valkey, `9.1.2`.
  public let version: String?
  /// How it is run.
  public let mode: Mode?
  /// Random at each start of the process (`run_id`).
  public let runID: String?
  /// The process, as the server sees it: in a container often 1.
  public let processID: Int32?
  /// The port for connections without TLS, 0 where there is none.
  public let tcpPort: Int?
  /// The time now (`server_time_usec`, whole microseconds).
  public let serverTime: Duration?
  /// The path of the configuration file; nil as well where the server has none.
  public let configFile: String?
  /// The path of the program.
  public let executable: String?
  /// Its part in replication.
  public let role: Role?
  /// How many replicas are connected (`connected_slaves`).
  public let connectedReplicas: Int?
  /// Of a replica, `up` or `down`.
  public let masterLinkStatus: String?
  /// What tells one history of writes from another (`master_replid`): a replica has its master's.
  public let replicationID: String?
  /// The history that it went on with under a new name (`master_replid2`), as after it was made a master;
  /// nil where there is none.
  public let secondReplicationID: String?
  /// What each connected replica is at: `wait_bgsave`, `send_bulk` or `online`.
  public let replicaStates: [String]
  /// How far in that history it is, in bytes (`master_repl_offset`; `slave_repl_offset` of a replica).
  public let replicationOffset: Int64?
  /// Whether it reads its data at start.
  public let loading: Bool?
  /// While loading, 0 to 100.
  public let loadingLoadedPercent: Double?
  /// While loading, the bytes of the file that were read.
  public let loadingLoadedBytes: Int64?
  /// Whether a background save runs (`rdb_bgsave_in_progress`).
  public let rdbSaveInProgress: Bool?
  /// Whether the last background save ended well; true before the first.
  public let lastBackgroundSaveSucceeded: Bool?
  /// How many saves ended well since the start; from 7.0.
  public let rdbSaves: Int64?
  /// Changes that no save holds yet.
  public let rdbChangesSinceLastSave: Int64?
  /// When the last good save ended, whole seconds; the start of the server before the first.
  public let rdbLastSaveTime: Duration?
  /// How long the last background save took, in whole seconds; nil before the first.
  public let lastBackgroundSaveSeconds: Int64?
  /// What the last background save copied because of writes (`rdb_last_cow_size`).
  public let lastCopyOnWriteByteCount: Int64?
  /// Keys that the running save has written.
  public let currentSaveKeysProcessed: Int64?
  /// Keys that the running save has to write; 0 when none runs.
  public let currentSaveKeysTotal: Int64?
  /// What the running save has copied because of writes (`current_cow_size`).
  public let currentCopyOnWriteByteCount: Int64?
  /// Whether the append-only file is on.
  public let aofEnabled: Bool?
  /// Whether the append-only file is being rewritten.
  public let aofRewriteInProgress: Bool?
  /// Whether a rewrite waits for a running save.
  public let aofRewriteScheduled: Bool?
  /// Whether the last rewrite ended well; true before the first.
  public let lastAOFRewriteSucceeded: Bool?
  /// The size of the append-only file, all its parts together; nil while it is off.
  public let aofByteCount: Int64?
  /// Bytes that the allocator has given out.
  public let usedMemory: Int64?
  /// Bytes that the process has from the system.
  public let usedMemoryRSS: Int64?
  /// The limit of the data in bytes, 0 for none.
  public let maxMemory: Int64?
  /// What happens at that limit, such as `noeviction`.
  public let maxMemoryPolicy: String?
  /// Keys removed since the start because their time had passed.
  public let expiredKeys: Int64?
  /// Keys removed since the start because memory was short.
  public let evictedKeys: Int64?
  /// Keys that the load of an RDB file at the start has kept; from 7.0.
  public let rdbLastLoadKeysLoaded: Int64?
  /// Keys that the load of an RDB file at the start has dropped as expired; from 7.0.
  public let rdbLastLoadKeysExpired: Int64?
  /// Connections of clients, this one included.
  public let connectedClients: Int?
  /// The databases that are not empty, in ascending order.
  public let keyspace: [DatabaseKeyspace]

  /// Reads the text that INFO answers.
  ///
  /// - Parameter info: Lines `name:value`; all else is ignored.
  public init(info: String) {
    let fields = Fields(info)
    product =
      fields["valkey_version"] != nil || fields["server_name"] == "valkey"
      ? .valkey : fields["redis_version"].map { _ in .redis }
    version = fields.text(product == .valkey ? "valkey_version" : "redis_version")
    mode = (fields["redis_mode"] ?? fields["server_mode"]).flatMap { Mode(rawValue: String($0)) }
    runID = fields.text("run_id")
    processID = fields.number("process_id")
    tcpPort = fields.number("tcp_port")
    serverTime = fields.number("server_time_usec").map { (count: Int64) in .microseconds(count) }
    configFile = fields.text("config_file")
    executable = fields.text("executable")
    role = fields["role"].flatMap { Role(rawValue: String($0)) }
    connectedReplicas = fields.number("connected_slaves")
    masterLinkStatus = fields.text("master_link_status")
    replicationID = fields.text("master_replid")
    secondReplicationID = fields.text("master_replid2").flatMap { id in
      id.allSatisfy { $0 == "0" } ? nil : id
    }
    replicaStates = fields.replicaStates
    replicationOffset =
      fields.number(role == .replica ? "slave_repl_offset" : "master_repl_offset")
    loading = fields.flag("loading")
    loadingLoadedPercent = fields["loading_loaded_perc"].flatMap { Double($0) }
    loadingLoadedBytes = fields.number("loading_loaded_bytes")
    rdbSaveInProgress = fields.flag("rdb_bgsave_in_progress")
    lastBackgroundSaveSucceeded = fields.isOK("rdb_last_bgsave_status")
    rdbSaves = fields.number("rdb_saves")
    rdbChangesSinceLastSave = fields.number("rdb_changes_since_last_save")
    rdbLastSaveTime = fields.number("rdb_last_save_time").map { (count: Int64) in .seconds(count) }
    lastBackgroundSaveSeconds = fields.number("rdb_last_bgsave_time_sec").flatMap {
      (count: Int64) in count < 0 ? nil : count
    }
    lastCopyOnWriteByteCount = fields.number("rdb_last_cow_size")
    currentSaveKeysProcessed = fields.number("current_save_keys_processed")
    currentSaveKeysTotal = fields.number("current_save_keys_total")
    currentCopyOnWriteByteCount = fields.number("current_cow_size")
    aofEnabled = fields.flag("aof_enabled")
    aofRewriteInProgress = fields.flag("aof_rewrite_in_progress")
    aofRewriteScheduled = fields.flag("aof_rewrite_scheduled")
    lastAOFRewriteSucceeded = fields.isOK("aof_last_bgrewrite_status")
    aofByteCount = fields.number("aof_current_size")
    usedMemory = fields.number("used_memory")
    usedMemoryRSS = fields.number("used_memory_rss")
    maxMemory = fields.number("maxmemory")
    maxMemoryPolicy = fields.text("maxmemory_policy")
    expiredKeys = fields.number("expired_keys")
    evictedKeys = fields.number("evicted_keys")
    rdbLastLoadKeysLoaded = fields.number("rdb_last_load_keys_loaded")
    rdbLastLoadKeysExpired = fields.number("rdb_last_load_keys_expired")
    connectedClients = fields.number("connected_clients")
    keyspace = fields.databases
  }
}

/// The lines of INFO by name.
private struct Fields {
  private var values: [Substring: Substring] = [:]
  /// In ascending order.
  private(set) var databases: [DatabaseKeyspace] = []
  /// In the order of their lines.
  private(set) var replicaStates: [String] = []

  init(_ info: String) {
    for line in info.split(whereSeparator: \.isNewline) {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon]
      let value = line[line.index(after: colon)...]
      values[name] = value
      // "slave0:ip=10.0.0.7,port=6379,state=online,…"
      if name.hasPrefix("slave"), name.dropFirst(5).allSatisfy(\.isNumber),
        let state = value.split(separator: ",").first(where: { $0.hasPrefix("state=") })
      {
        replicaStates.append(String(state.dropFirst("state=".count)))
      }
      if let database = DatabaseKeyspace(name: name, value: value) { databases.append(database) }
    }
    databases.sort { $0.index < $1.index }
  }

  subscript(name: Substring) -> Substring? { values[name] }

  /// A text that is not empty.
  func text(_ name: Substring) -> String? {
    values[name].flatMap { $0.isEmpty ? nil : String($0) }
  }

  func number<Number: FixedWidthInteger>(_ name: Substring) -> Number? {
    values[name].flatMap { Number($0) }
  }

  func flag(_ name: Substring) -> Bool? {
    switch values[name] {
    case "1": true
    case "0": false
    default: nil
    }
  }

  func isOK(_ name: Substring) -> Bool? {
    values[name].map { $0 == "ok" }
  }
}
