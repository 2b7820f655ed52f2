/// Threads of our own for work that keeps a core busy.
///
/// Prefer them for a task (`withTaskExecutorPreference`, `addTask(executorPreference:)`), and all
/// that the task does outside an actor runs there, first come first served, while Swift's own pool
/// stays free for timers, sockets and signals. A task that waits holds no thread.
///
/// The threads end with the last reference; a job that is queued or running is such a reference.
public final class Workers: TaskExecutor {
  /// How many threads there are: at least one.
  public let threadCount: Int

  private let threads: Threads

  /// Starts the threads.
  ///
  /// - Parameter threadCount: How many; by default one for each core that this process may use, but at
  ///   most ``usualLimit``. Fewer where the system refuses some of them.
  /// - Throws: ``WorkersError`` where the system refuses even the first thread.
  public init(
    threadCount: Int = min(Workers.usableCoreCount, Workers.usualLimit)
  ) throws(WorkersError) {
    threads = try Threads(count: max(1, threadCount))
    self.threadCount = threads.count
  }

  deinit {
    threads.stop()
  }

  /// Queues a piece of a task; the Swift runtime calls this.
  public func enqueue(_ job: consuming ExecutorJob) {
    threads.append(Job(job: UnownedJob(job), workers: self))
  }

  /// More threads are started only where somebody asks for them: each holds blocks of its own, and the
  /// memory of a run must not depend on the machine.
  public static let usualLimit = 4

  /// How many cores this process may use now: those of its affinity mask, as `nproc` counts them.
  public static var usableCoreCount: Int { Threads.usableCoreCount }
}
