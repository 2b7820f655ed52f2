import Workers

/// Finds the members of a gzip stream, has them inflated, and sends on their bytes in order.
struct MemberReader {
  private var input: CompressedInput
  private let blocks: BoundedQueue<[UInt8]>
  private let tally: Tally
  private let workers: Workers
  private let guessLimit: Int
  private let jobs: Jobs
  private let inflaters = Pool { try MemberInflater() }
  /// Members that are being inflated because their header told their size, the oldest first.
  private var guesses: [Guess] = []
  private var trustsHints = true

  private struct Guess {
    let bytes: [UInt8]
    /// What the member holds; nil where the hint was wrong or the member is damaged.
    let block: Jobs.Promise<[UInt8]?>
  }

  init(
    input: CompressedInput, blocks: BoundedQueue<[UInt8]>, tally: Tally, workers: Workers,
    jobs: Jobs
  ) {
    self.input = input
    self.blocks = blocks
    self.tally = tally
    self.workers = workers
    // More would only wait: what takes the bytes, one block after the other, is the slower part then.
    guessLimit = min(workers.threadCount + 1, 4)
    self.jobs = jobs
  }

  mutating func readAll() async throws {
    repeat {
      while guesses.count < guessLimit, let guess = try await nextGuess() {
        guesses.append(guess)
      }
      if guesses.isEmpty {
        try await readSerially()
      } else {
        try await finishOldestGuess()
      }
    } while try await hasNextMember()
  }

  /// Starts to inflate the member that comes next, if its header tells its size and all of it is
  /// there.
  private mutating func nextGuess() async throws -> Guess? {
    guard trustsHints, try await input.fill(MemberHeader.byteCount),
      let byteCount = MemberHeader.hintedByteCount(input.bytes),
      let member = try await input.take(byteCount)
    else { return nil }
    return Guess(
      bytes: member,
      block: jobs.start { [inflaters] in try inflaters.withElement { $0.block(of: member) } })
  }

  private mutating func finishOldestGuess() async throws {
    let guess = guesses.removeFirst()
    if let block = try await guess.block.value() {
      tally.addMember()
      try await send(block)
    } else {
      // The serial way decides from here. It reads what gunzip reads, and tells what is wrong. One
      // lie is enough: guessing again and again would make a stream of lies slow.
      trustsHints = false
      for guess in ([guess] + guesses).reversed() {
        input.putBack(guess.bytes)
      }
      guesses = []
      try await readSerially()
    }
  }

  /// Inflates one member from its first byte.
  private mutating func readSerially() async throws {
    let start = input.byteOffset
    if try await !input.fill(2) { throw GzipError(.truncated, byteOffset: start) }
    guard input.bytes.starts(with: [0x1f, 0x8b]) else {
      throw GzipError(.notGzip, byteOffset: start)
    }
    let inflater = try Inflater()
    var isAtEnd = false
    while !isAtEnd {
      let bytes = input.bytes
      let step: Inflater.Step
      do {
        step = try await withTaskExecutorPreference(workers) {
          try inflater.inflate(bytes, outputByteCount: MemberHeader.blockByteCount)
        }
      } catch let error as GzipError {
        throw GzipError(error.kind, byteOffset: start)
      }
      input.drop(step.consumedByteCount)
      try await send(step.output)
      isAtEnd = step.isAtEnd
      let isStuck = step.consumedByteCount == 0 && step.output.isEmpty
      if !isAtEnd, isStuck, try await !input.fill(input.bytes.count + 1) {
        throw GzipError(.truncated, byteOffset: start)
      }
    }
    tally.addMember()
  }

  /// Whether another member follows. Zero bytes up to the end are padding.
  private mutating func hasNextMember() async throws -> Bool {
    if !guesses.isEmpty { return true }
    guard try await input.fill(1) else { return false }
    if input.bytes.first == 0x1f {
      if try await !input.fill(2) { throw GzipError(.truncated, byteOffset: input.byteOffset) }
      if input.bytes.starts(with: [0x1f, 0x8b]) { return true }
    }
    let start = input.byteOffset
    while try await input.fill(1) {
      guard input.bytes.allSatisfy({ $0 == 0 }) else {
        throw GzipError(.trailingBytes, byteOffset: start)
      }
      input.drop(input.bytes.count)
    }
    return false
  }

  private mutating func send(_ block: [UInt8]) async throws {
    if block.isEmpty { return }
    tally.addOutput(block)
    try await blocks.send(block)
  }
}
