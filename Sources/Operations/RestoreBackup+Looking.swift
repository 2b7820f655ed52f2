import ArchiveStore
import FoundationEssentials
import RDBFormat
import RedisClient
import Targets

// What a restore looks at before it decides anything; nothing is changed by it.

extension RestoreBackup {
  /// What is seen of a server before anything is decided.
  struct Situation: Sendable {
    let status: ServerStatus
    let settings: ServerSettings
    let modules: [String]
    let journal: RestoreJournal?
    /// Why the files here may be another server's; nil where they are surely its own.
    let doubt: RestoreObstacle?
    let present: PresentData
  }

  /// Proves the whole archive before anything else is looked at.
  func prove(_ entry: ArchiveEntry, now: Date) async throws -> RestoreCandidate {
    report(.began("proving the archive"))
    return try await RestoreCandidate(
      VerifyArchive(workers: workers, report: report).run(entry, now: now, needsDigests: true))
  }

  /// - Parameter candidate: What the server's data is looked at beside, where there is no journal.
  func lookAround(_ candidate: RestoreCandidate?) async throws -> Situation {
    report(.began("looking at the server"))
    return try await RestartedServer(
      session: session, log: RestoreLog(directory), dataDirectory: options.dataDirectory,
      mayStart: !options.dryRun
    ).withConnection { [session] connection in
      let status = try await connection.status()
      // It has no settings that could be read.
      if status.mode == .sentinel { throw RestoreRefusal.mode(ServerStatus.Mode.sentinel.rawValue) }
      let settings = try await ServerSettings.read(from: connection)
      if let named = options.dataDirectory {
        try await require(named, toBe: settings.directory)
      }
      let doubt = session.target.control.doubt(
        aboutFilesOf: connection.trace(status, directory: settings.directory))
      // The journal of another server must not be carried out on this one.
      let journal =
        doubt == nil
        ? try await RestoreJournal.read(in: settings.directory, of: session.target.volume) : nil
      guard journal != nil || status.loading != true else {
        throw BackupError.serverIsLoading(status.loadingLoadedPercent)
      }
      if journal == nil, let candidate {
        try await rights(candidate, status).check(on: connection)
      }
      let streams = candidate?.summary.content.streams ?? []
      return Situation(
        status: status, settings: settings,
        modules: journal == nil ? try await connection.moduleNames() : [], journal: journal,
        doubt: doubt,
        present: journal == nil
          ? try await PresentData.read(streams, on: connection) : PresentData())
    }
  }

  /// Throws where a directory that the user names is not the one that the server works in.
  private func require(_ named: String, toBe directory: String) async throws {
    guard try await session.target.volume.isOneDirectory(named, directory) else {
      throw BackupError.otherDataDirectory(named, server: directory)
    }
  }

  private func rights(_ candidate: RestoreCandidate, _ status: ServerStatus) -> RestoreRights {
    RestoreRights(
      summary: candidate.summary, saves: options.safetyBackup || status.aofEnabled != true,
      stops: session.isLocal || options.restart == .server)
  }

  func facts(_ situation: Situation) async throws -> RestoreFacts {
    if let doubt = situation.doubt { throw RestoreRefusal.obstacle(doubt) }
    let volume = session.target.volume
    let settings = situation.settings
    let directory = join(
      settings.directory, settings.appendDirectoryName ?? "appendonlydir")
    let manifest = try await volume.contents(
      of: join(directory, settings.appendFileName + ".manifest"),
      limit: RestoreJournal.maximumByteCount)
    let control = session.target.control
    return RestoreFacts(
      status: situation.status, settings: settings,
      nextStart: try await NextStart.read(
        of: situation.status, settings, startedWith: control.startArguments, from: volume),
      appendManifest: manifest.flatMap { AOFManifest(String(decoding: $0, as: UTF8.self)) },
      obstacles: try await control.obstacles(
        to: options.restart, processID: Int(situation.status.processID ?? 0),
        dataDirectory: settings.directory),
      freeByteCount: try await volume.freeByteCount(at: settings.directory),
      dumpByteCount: try await volume.status(
        of: join(settings.directory, settings.dumpFileName))?.byteCount ?? 0,
      modules: situation.modules, identity: session.target.source.identity,
      login: session.login,
      isInCluster: !session.isLocal,
      memoryLimitByteCount: control.memoryLimitByteCount,
      concerns: try await control.concerns(about: options.restart),
      present: situation.present)
  }
}
