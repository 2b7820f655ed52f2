import Glibc
import Synchronization
import Testing
import Workers

@Suite struct WorkersTests {
  struct NoCommand: Error {}

  @Test func `there are as many threads as cores, but at most four`() throws {
    // nproc reads the affinity mask too.
    let text = try firstLine(ofCommand: "env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc")
    #expect(Workers.usableCoreCount == Int(text))
    #expect(try Workers().threadCount == min(Workers.usableCoreCount, 4))
  }

  @Test(arguments: [0, -1, Int.min])
  func `there is at least one thread`(count: Int) async throws {
    let workers = try Workers(threadCount: count)
    #expect(workers.threadCount == 1)
    #expect(await withTaskExecutorPreference(workers) { 42 } == 42)
  }

  @Test func `all ways to prefer the workers lead to the same threads`() async throws {
    let workers = try Workers(threadCount: 1)
    let expected = await Task(executorPreference: workers) { pthread_self() }.value
    for _ in 0..<50 {
      #expect(await withTaskExecutorPreference(workers) { pthread_self() } == expected)
    }
    await withTaskGroup(of: pthread_t.self) { group in
      for _ in 0..<50 {
        group.addTask(executorPreference: workers) {
          await Task.yield()
          return pthread_self()
        }
      }
      for await thread in group {
        #expect(thread == expected)
      }
    }
  }

  @Test func `jobs run in the order in which they came`() async throws {
    let workers = try Workers(threadCount: 1)
    let log = Log()
    await withDiscardingTaskGroup { group in
      for number in 0..<5000 {
        group.addTask(executorPreference: workers) { log.append(number) }
      }
    }
    #expect(log.numbers == Array(0..<5000))
  }

  @Test func `jobs run at the same time, one on each thread`() async throws {
    let workers = try Workers(threadCount: 3)
    let log = Log()
    await withDiscardingTaskGroup { group in
      for _ in 0..<3 {
        group.addTask(executorPreference: workers) {
          log.append(1)
          while log.numbers.count < 3 { sched_yield() }
        }
      }
    }
  }

  @Test func `the threads end with the last reference`() async throws {
    for _ in 0..<500 {
      let workers = try Workers(threadCount: 4)
      await withTaskExecutorPreference(workers) { await Task.yield() }
    }
    #expect(try threadCount() < 1000)
  }

  @Test func `the last reference may go away on one of the threads`() async throws {
    for _ in 0..<500 {
      await startTask(on: try Workers(threadCount: 2)).value
    }
    #expect(try threadCount() < 1000)
  }

  /// A task that nobody but itself keeps workers for.
  private func startTask(on workers: Workers) -> Task<Void, Never> {
    Task(executorPreference: workers) {
      for _ in 0..<3 { await Task.yield() }
    }
  }

  private func threadCount() throws -> Int {
    let command = "ls /proc/\(getpid())/task | wc -l"
    return try #require(Int(try firstLine(ofCommand: command)))
  }

  private func firstLine(ofCommand command: String) throws -> String {
    guard let output = unsafe popen(command, "r") else { throw NoCommand() }
    defer { unsafe pclose(output) }
    var line = [CChar](repeating: 0, count: 64)
    _ = unsafe fgets(&line, 64, output)
    let newline = CChar(10)
    let text = line.prefix { $0 != newline && $0 != 0 }
    return String(decoding: text.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
  }
}

private final class Log: Sendable {
  private let written = Mutex<[Int]>([])

  func append(_ number: Int) {
    written.withLock { $0.append(number) }
  }

  var numbers: [Int] { written.withLock { $0 } }
}
