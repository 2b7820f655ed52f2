import CProcess
import Glibc

/// One piece of a task, with the executor that it must run on.
struct Job {
  let job: UnownedJob
  // Strong: a queued job must find its executor alive, whoever else lets go of it.
  let workers: Workers

  func run() {
    unsafe job.runSynchronously(on: workers.asUnownedTaskExecutor())
  }
}

/// POSIX threads that share one queue of jobs.
final class Threads: Sendable {
  private let queue: JobQueue
  private let identifiers: [pthread_t]

  var count: Int { identifiers.count }

  init(count: Int) throws(WorkersError) {
    let queue = JobQueue()
    var identifiers: [pthread_t] = []
    for _ in 0..<count {
      var identifier = pthread_t()
      let context = unsafe Unmanaged.passRetained(queue)
      let errorNumber = unsafe pthread_create(
        &identifier, nil,
        { context in
          guard let context = unsafe context else { return nil }
          // What tools such as `top -H` show.
          unsafe raibid_name_this_thread("worker")
          let queue = unsafe Unmanaged<JobQueue>.fromOpaque(context).takeRetainedValue()
          while let job = queue.next() {
            job.run()
          }
          return nil
        }, context.toOpaque())
      if errorNumber != 0 {
        unsafe context.release()
        if identifiers.isEmpty { throw WorkersError(errorNumber: errorNumber) }
        break
      }
      identifiers.append(identifier)
    }
    self.queue = queue
    self.identifiers = identifiers
  }

  func append(_ job: Job) {
    queue.append(job)
  }

  /// Ends the threads and waits for them. No job is queued or running then, except the one that
  /// may be calling this: each keeps its executor alive.
  func stop() {
    queue.stop()
    for identifier in identifiers {
      if pthread_equal(identifier, pthread_self()) != 0 {
        // The last reference went away on one of the threads: it cannot wait for itself.
        pthread_detach(identifier)
      } else {
        pthread_join(identifier, nil)
      }
    }
  }

  /// The affinity mask as the kernel tells it, because Swift's Glibc module does not show
  /// `sched_getaffinity`; without `/proc`, all the cores that are online.
  static var usableCoreCount: Int {
    max(1, allowedCoreCount() ?? sysconf(Int32(_SC_NPROCESSORS_ONLN)))
  }

  private static func allowedCoreCount() -> Int? {
    guard let file = unsafe fopen("/proc/self/status", "r") else { return nil }
    var line: UnsafeMutablePointer<CChar>? = nil
    var capacity = 0
    defer {
      unsafe free(line)
      unsafe fclose(file)
    }
    while unsafe getline(&line, &capacity, file) > 0, let text = unsafe line {
      // For example "Cpus_allowed:\tff,ffffffff".
      let fields = unsafe String(cString: text).split(separator: ":")
      if fields.count == 2, fields[0] == "Cpus_allowed" {
        return fields[1].reduce(0) { $0 + ($1.hexDigitValue?.nonzeroBitCount ?? 0) }
      }
    }
    return nil
  }
}

/// First in, first out, for many threads.
@safe private final class JobQueue: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let isReady = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [Job?] = []
  private var firstIndex = 0
  private var isStopped = false

  init() {
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe isReady.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(mutex, nil)
    unsafe pthread_cond_init(isReady, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(isReady)
    unsafe pthread_mutex_destroy(mutex)
    unsafe isReady.deallocate()
    unsafe mutex.deallocate()
  }

  func append(_ job: Job) {
    unsafe pthread_mutex_lock(mutex)
    jobs.append(job)
    unsafe pthread_cond_signal(isReady)
    unsafe pthread_mutex_unlock(mutex)
  }

  func stop() {
    unsafe pthread_mutex_lock(mutex)
    isStopped = true
    unsafe pthread_cond_broadcast(isReady)
    unsafe pthread_mutex_unlock(mutex)
  }

  /// Waits for a job; nil when stopped.
  func next() -> Job? {
    unsafe pthread_mutex_lock(mutex)
    defer { unsafe pthread_mutex_unlock(mutex) }
    while firstIndex == jobs.count {
      if isStopped { return nil }
      unsafe pthread_cond_wait(isReady, mutex)
    }
    let job = jobs[firstIndex]
    jobs[firstIndex] = nil
    firstIndex += 1
    if firstIndex == jobs.count {
      jobs.removeAll(keepingCapacity: true)
      firstIndex = 0
    } else if firstIndex >= 1024 {
      jobs.removeFirst(firstIndex)
      firstIndex = 0
    }
    return job
  }
}
