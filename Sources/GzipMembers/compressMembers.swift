import Workers

/// Deflates a stream into gzip members that can be inflated independently, in parallel.
///
/// A member holds 1 MiB of input, the last one the rest; an empty input gives one empty member. The
/// same bytes and level give the same output, however the input is split and how many workers there
/// are. Each member carries its own size in an extra header field (``decompressMembers(on:from:tap:)``
/// uses it); any gzip reader can read the output.
///
/// Memory: with n worker threads at most n + 3 blocks of 1 MiB, counted from reading to the later of `tap`
/// and `deliver`, and 1.5 MiB for each thread. A slow `tap` or `deliver` makes `next` wait.
///
/// - Parameters:
///   - level: 1 (fast) to 9 (small), as for gzip; a number outside counts as the nearer end.
///   - workers: Where the deflation and `tap` run.
///   - next: Gives the next piece, of any size, and nil at the end. Called serially.
///   - tap: Gets every block of the input once, in order, serially, at most 1 MiB each and never
///     empty, while others are deflated.
///   - deliver: Gets each member, whole, in order, serially.
/// - Returns: The sizes and the number of members.
/// - Throws: The first error of a closure, `CancellationError`, or ``GzipError`` where zlib fails;
///   all closures have ended then, and members may have been delivered.
public func compressMembers(
  level: Int,
  on workers: Workers,
  from next: @escaping @Sendable () async throws -> [UInt8]?,
  tap: @escaping @Sendable ([UInt8]) throws -> Void,
  deliver: @escaping @Sendable ([UInt8]) async throws -> Void
) async throws -> GzipMembersResult {
  let deflaters = Pool { try Deflater(level: DeflateLevel(level)) }
  // The block that is being read counts too.
  let limit = workers.threadCount + 2
  let blocks = BoundedQueue<[UInt8]>(limit: limit)
  let members = BoundedQueue<Jobs.Promise<[UInt8]>>(limit: limit)
  let tally = Tally()

  try await withJobs(on: workers) { group, jobs in
    group.addTask {
      defer {
        blocks.finish()
        members.finish()
        jobs.finish()
      }
      try await forEachBlock(from: next) { block in
        tally.addInput(block)
        try await blocks.send(block)
        try await members.send(
          jobs.start { try deflaters.withElement { try $0.member(of: block) } })
      }
    }
    group.addTask(executorPreference: workers) {
      try await blocks.forEach { block in
        if !block.isEmpty { try tap(block) }
      }
    }
    group.addTask {
      try await members.forEach { promise in
        let member = try await promise.value()
        try await deliver(member)
        tally.addOutput(member)
        tally.addMember()
      }
    }
  }
  return tally.result
}

/// Regroups pieces into blocks of 1 MiB, the last one shorter; at least one.
private func forEachBlock(
  from next: () async throws -> [UInt8]?, _ body: ([UInt8]) async throws -> Void
) async throws {
  let blockByteCount = MemberHeader.blockByteCount
  var block: [UInt8] = []
  var isFirst = true
  while let piece = try await next() {
    try Task.checkCancellation()
    var rest = piece[...]
    while !rest.isEmpty {
      if block.isEmpty { block.reserveCapacity(blockByteCount) }
      let head = rest.prefix(blockByteCount - block.count)
      block += head
      rest = rest.dropFirst(head.count)
      if block.count == blockByteCount {
        try await body(block)
        isFirst = false
        block = []
      }
    }
  }
  if isFirst || !block.isEmpty { try await body(block) }
}
