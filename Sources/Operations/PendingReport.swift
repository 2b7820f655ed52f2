import FoundationEssentials
import RDBFormat
import RedisClient

/// The jobs that were in flight when a backup was written: delivered to a consumer, and not acknowledged.
public struct PendingReport: Sendable, Equatable {
  /// What has become of a job since, by the server before the restore.
  public enum State: String, Codable, Sendable {
    /// It was acknowledged: after the restore it will be done a second time.
    case acknowledged
    /// It is pending still.
    case pending
    /// The server does not tell, or the stream or group was made anew.
    case unknown
  }

  /// One job.
  public struct Job: Sendable, Equatable {
    /// The database of the stream.
    public let database: UInt64
    /// The key of the stream.
    public let stream: [UInt8]
    /// The consumer group.
    public let group: [UInt8]
    /// The entry, its consumer, and how often it was delivered.
    public let entry: PendingEntry
    /// For how long it had been out when the backup was written, in seconds; nil where the dump does not
    /// say when that was.
    public let idleSeconds: Double?
    /// What has become of it.
    public let state: State
  }

  /// All that the dump holds.
  public let total: UInt64
  /// The first of them, at most ``PendingEntry/limit``, in the order of streams, groups and ids.
  public let jobs: [Job]

  /// How many of the listed ones have that state.
  public func count(_ state: State) -> Int { jobs.count { $0.state == state } }

  /// - Parameter present: What the server holds before the restore; nil where that is past.
  init(_ candidate: RestoreCandidate, _ present: PresentData?) {
    let streams = candidate.summary.content.streams
    total = streams.flatMap(\.groups).map(\.pending).reduce(0, +)
    var jobs: [Job] = []
    for (index, stream) in streams.enumerated() {
      let now = present.flatMap { $0.streams.indices.contains(index) ? $0.streams[index] : nil }
      for group in stream.groups {
        jobs += group.pendingEntries.map { entry in
          Job(
            database: stream.database, stream: stream.key, group: group.name, entry: entry,
            idleSeconds: candidate.writtenAt.map { Self.idleSeconds(of: entry, at: $0) },
            state: Self.state(of: entry, group, stream, now))
        }
      }
    }
    self.jobs = jobs
  }

  /// For how long an entry had been out at a time in Unix milliseconds.
  static func idleSeconds(of entry: PendingEntry, at time: Int64) -> Double {
    max(0, (Double(time) - Double(entry.deliveredAt)) / 1000)
  }

  private static func state(
    of entry: PendingEntry, _ group: GroupSummary, _ stream: StreamSummary,
    _ now: PresentData.Stream?
  ) -> State {
    guard let now, let state = now.state, !StreamLoss(stream, state).isMadeAnew,
      let there = state.groups.first(where: { $0.name == group.name }),
      let delivered = StreamID(there.lastDeliveredID), delivered >= entry.id,
      let pending = now.pending[group.name]
    else { return .unknown }
    return pending.contains(entry.id) ? .pending : .acknowledged
  }
}

/// What of a stream a restore takes back.
struct StreamLoss {
  let backup: StreamSummary
  let now: StreamState

  init(_ backup: StreamSummary, _ now: StreamState) {
    self.backup = backup
    self.now = now
  }

  private var lastGeneratedID: StreamID {
    StreamID(now.lastGeneratedID) ?? StreamID(milliseconds: 0, sequence: 0)
  }

  /// Whether the stream is another one than that of the backup.
  var isMadeAnew: Bool {
    if lastGeneratedID < backup.lastGeneratedID { return true }
    if let then = backup.entriesAdded, let added = now.entriesAdded {
      return UInt64(clamping: added) < then
    }
    return false
  }

  /// Whether entries were added since.
  var hasGrown: Bool { lastGeneratedID > backup.lastGeneratedID }

  /// How many entries were added since, those that are gone again included; nil where the server or the
  /// dump does not count them.
  var entriesLost: UInt64? {
    if isMadeAnew { return UInt64(clamping: now.length) }
    if !hasGrown { return 0 }
    guard let then = backup.entriesAdded, let added = now.entriesAdded else { return nil }
    return UInt64(clamping: added) - then
  }

  /// How many entries of the backup a group was given since, and will be given again; nil where that is
  /// not counted.
  func deliveredAgain(_ group: GroupSummary) -> UInt64? {
    guard !isMadeAnew, let there = now.groups.first(where: { $0.name == group.name }),
      let delivered = StreamID(there.lastDeliveredID), delivered > group.lastDeliveredID,
      let last = backup.lastID, last > group.lastDeliveredID
    else { return 0 }
    guard let then = group.entriesRead, let read = there.entriesRead,
      let added = backup.entriesAdded
    else { return nil }
    let until = min(UInt64(clamping: read), added)
    return until - min(then, until)
  }
}
