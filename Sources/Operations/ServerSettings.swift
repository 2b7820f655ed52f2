import RedisClient

/// The running configuration of a server, as far as it decides what is loaded and who may write.
struct ServerSettings: Codable, Sendable, Equatable {
  let directory: String
  let dumpFileName: String
  let appendOnly: Bool
  let appendFileName: String
  /// Nil before 7.0, which has no parts.
  let appendDirectoryName: String?
  let save: String
  var minReplicasToWrite: String
  var minReplicasMaxLag: String
  let databases: Int

  /// The same, with the data directory as it is called here.
  func `in`(_ directory: String) -> ServerSettings {
    ServerSettings(
      directory: directory, dumpFileName: dumpFileName, appendOnly: appendOnly,
      appendFileName: appendFileName, appendDirectoryName: appendDirectoryName, save: save,
      minReplicasToWrite: minReplicasToWrite, minReplicasMaxLag: minReplicasMaxLag,
      databases: databases)
  }

  /// - Throws: ``BackupError`` when the server does not tell.
  static func read(from connection: ServerConnection) async throws -> ServerSettings {
    let values = try await connection.configuration(
      "dir", "dbfilename", "appendonly", "appendfilename", "appenddirname", "save",
      "min-replicas-to-write", "min-replicas-max-lag", "databases")
    func value(_ name: String) throws -> String {
      guard let value = values[name] else { throw BackupError.settingUnknown(name) }
      return value
    }
    return ServerSettings(
      directory: try value("dir"), dumpFileName: try value("dbfilename"),
      appendOnly: try value("appendonly") == "yes", appendFileName: try value("appendfilename"),
      appendDirectoryName: values["appenddirname"], save: try value("save"),
      minReplicasToWrite: try value("min-replicas-to-write"),
      minReplicasMaxLag: try value("min-replicas-max-lag"),
      databases: Int(try value("databases")) ?? 16)
  }
}
