import Workers

/// Work for the CPU that a stage starts, and whose results it may wait for in any order.
struct Jobs: Sendable {
  fileprivate let queue = AsyncStream<@Sendable () -> Void>.makeStream()

  /// The result of a job; to be asked for once.
  struct Promise<Value: Sendable>: Sendable {
    fileprivate let result = AsyncStream<Result<Value, any Error>>.makeStream()

    /// Waits for the job to be done.
    ///
    /// - Throws: What the job threw, or `CancellationError`.
    func value() async throws -> Value {
      for await result in result.stream { return try result.get() }
      throw CancellationError()
    }
  }

  func start<Value>(_ work: @escaping @Sendable () throws -> Value) -> Promise<Value> {
    let promise = Promise<Value>()
    queue.continuation.yield {
      guard !Task.isCancelled else { return }
      promise.result.continuation.yield(Result(catching: work))
    }
    return promise
  }

  /// No more jobs will be started.
  func finish() {
    queue.continuation.finish()
  }
}

/// Runs stages side by side, and the jobs that they start on the workers, until all have ended.
///
/// - Parameter addStages: Adds each stage to the group; one of them must finish the jobs, however
///   it ends.
/// - Throws: The first error of a stage, which cancels all others; or `CancellationError`.
func withJobs(
  on workers: Workers,
  addStages: (inout ThrowingDiscardingTaskGroup<any Error>, Jobs) -> Void
) async throws {
  let jobs = Jobs()
  try await withThrowingDiscardingTaskGroup { group in
    addStages(&group, jobs)
    for await job in jobs.queue.stream {
      group.addTask(executorPreference: workers) { job() }
    }
  }
}
