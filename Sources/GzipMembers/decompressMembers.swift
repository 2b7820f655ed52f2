import Workers

/// Inflates any gzip stream.
///
/// Members that ``compressMembers(level:on:from:tap:deliver:)`` made are inflated in parallel, all
/// others one after the other. Which way a member takes never changes the bytes: they are those
/// that `gunzip` gives. Zero bytes after the last member are ignored, as `gunzip` does.
///
/// Memory: at most 7 blocks of 1 MiB and the compressed bytes of 4 members (2 MiB each at most, usually far
/// less), however many workers there are; a slow `tap` makes `next` wait.
/// What a member inflates to never decides the memory used.
///
/// - Parameters:
///   - workers: Where the inflation and `tap` run.
///   - next: Gives the next piece of the compressed stream, of any size, and nil at the end. Called
///     serially.
///   - tap: Gets the inflated bytes in order, serially, at most 1 MiB each and never empty. After an
///     error it may have got the bytes of an incomplete member.
/// - Returns: The sizes (input: all compressed bytes, padding included) and the number of members.
/// - Throws: ``GzipError`` where the stream is not whole gzip; the first error of a closure;
///   `CancellationError`. All closures have ended then.
public func decompressMembers(
  on workers: Workers,
  from next: @escaping @Sendable () async throws -> [UInt8]?,
  tap: @escaping @Sendable ([UInt8]) async throws -> Void
) async throws -> GzipMembersResult {
  // One in the tap, and one that waits for it.
  let blocks = BoundedQueue<[UInt8]>(limit: 2)
  let tally = Tally()

  try await withJobs(on: workers) { group, jobs in
    group.addTask {
      defer {
        blocks.finish()
        jobs.finish()
      }
      let input = CompressedInput {
        let piece = try await next()
        tally.addInput(piece ?? [])
        return piece
      }
      var reader = MemberReader(
        input: input, blocks: blocks, tally: tally, workers: workers, jobs: jobs)
      try await reader.readAll()
    }
    group.addTask(executorPreference: workers) {
      try await blocks.forEach { block in try await tap(block) }
    }
  }
  return tally.result
}
