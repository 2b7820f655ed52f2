import RedisClient
import Synchronization
import Targets

// A dump that the server writes to a file.

/// The dump is made, but what was read meanwhile is not it.
private struct OtherDumpFollowed: Error {
  let origin: DumpAtHand.Origin
}

extension CreateBackup {
  /// The file that the server writes, and how it is read.
  struct Files: Sendable {
    let transport: FileTransport
    let directory: String
    let path: String
  }

  /// Brings the server to write a file, and reads it: while it is being written, where that can be seen.
  func copy(
    _ files: Files, _ status: ServerStatus, on connection: ServerConnection,
    _ make: @Sendable (DumpAtHand) async throws -> Result
  ) async throws -> Result {
    guard let watch = files.transport.replacements else {
      let origin = try await save(files, status, on: connection)
      return try await make(written(files, origin, status, on: connection))
    }
    do {
      return try await make(beingWritten(files, seenBy: watch, status, on: connection))
    } catch let other as OtherDumpFollowed {
      return try await make(written(files, other.origin, status, on: connection))
    }
  }

  private func save(
    _ files: Files, _ status: ServerStatus, on connection: ServerConnection
  ) async throws -> DumpAtHand.Origin {
    let saved = try await SaveDump(
      method: options.method,
      files: UnfinishedFiles(
        of: files.transport.volume, in: files.directory, interval: session.limits.stall / 8),
      limits: session.limits, report: report,
      willAsk: { try files.transport.replacements?.reset() }
    ).run(on: connection)
    try await requireSame(as: status, on: connection)
    return DumpAtHand.Origin(saved: saved, ended: .now)
  }

  /// A file that the server has written.
  private func written(
    _ files: Files, _ origin: DumpAtHand.Origin, _ status: ServerStatus,
    on connection: ServerConnection
  ) async throws -> DumpAtHand {
    let made = try await files.transport.volume.status(of: files.path)
    return DumpAtHand(
      via: files.transport.name, report: report, byteCount: made?.byteCount
    ) { deliver in
      report(.copying)
      try await readAll(files, made, deliver)
      return origin
    }.confirmed { try await confirm(status, on: connection) }
  }

  private func readAll(
    _ files: Files, _ made: FileStatus?, _ deliver: @Sendable ([UInt8]) async throws -> Void
  ) async throws {
    try await files.transport.volume.read(
      files.path, after: made, stallTimeout: session.limits.copyStall, deliver: deliver)
    // Another server may write to this path, or ours to another one.
    try files.transport.replacements?.requireOne()
  }

  /// A file that the server writes as soon as it is read, so that both take their time together.
  private func beingWritten(
    _ files: Files, seenBy watch: ReplacementWatch, _ status: ServerStatus,
    on connection: ServerConnection
  ) -> DumpAtHand {
    let size = Mutex<UInt64?>(nil)
    let isUnfinished: @Sendable () -> Bool = { size.withLock { $0 } == nil }
    return DumpAtHand(via: files.transport.name) { done in
      // Until then the share of its keys tells more.
      if let total = size.withLock({ $0 }) { report(.bytes(done: done, total: total)) }
    } read: { deliver in
      async let following = watch.follow(while: isUnfinished, deliver: deliver)
      let origin = try await save(files, status, on: connection)
      report(.copying)
      let made = try await files.transport.volume.status(of: files.path)
      size.withLock { $0 = made?.byteCount ?? 0 }
      switch try await following {
      case .nothing: try await readAll(files, made, deliver)
      case .whole: try watch.requireOne()
      case .other: throw OtherDumpFollowed(origin: origin)
      }
      return origin
    }.confirmed { try await confirm(status, on: connection) }
  }
}
